"""The RQ worker: takes ids from RQ's queue, several at a time where several wait, and provisions them as a set.

RQ is trusted with one thing: handing an id to a free process. Its retry, scheduler, recovery and results are not used;
`due_at` in PostgreSQL drives all of that. So an id that was taken off the list is nobody's until it is claimed: if this
process dies in between, or Redis loses the list, the sweep finds the row when its head start is over.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError

from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.provisioning.pace import Pace
from tripwire_shared.provisioning.provision import Attempt, Outcome, Provisioning
from tripwire_shared.requests.claims import ClaimStore
from tripwire_shared.timings import DATABASE_RETRY_PAUSE, QUEUE_WAIT, WORKER_REDIS_POLL
from tripwire_worker.attempts import Attempts
from tripwire_worker.meter import AttemptMeter
from tripwire_worker.registration import Registration

DONE = (Outcome.PROVISIONED, Outcome.DUPLICATE)


class RequestWorker:
    """One in a worker service. `beat` is its sign of life, given at least each second."""

    def __init__(
        self,
        redis: Redis,
        name: str,
        claims: ClaimStore,
        provisioning: Provisioning,
        pace: Pace,
        attempts: Attempts,
        meter: AttemptMeter,
        *,
        stopped: threading.Event,
        beat: Callable[[], None],
    ) -> None:
        self._redis, self._name, self._claims, self._provisioning = redis, name, claims, provisioning
        self._pace, self._attempts, self._meter, self._stopped, self._beat = pace, attempts, meter, stopped, beat
        self._database_away = False

    def run(self) -> None:
        """Until stopped. Redis may go and come: meanwhile this waits, and says so once."""
        while not self._stopped.is_set():
            try:
                self._wait_for_redis()
                registration = Registration(self._redis, self._name)
                while not self._stopped.is_set():
                    registration.keep_up()
                    self.run_once(registration)
                registration.end()
            except RedisError as error:
                get_logger(__name__).warning("the worker lost Redis", error=type(error).__name__)

    def run_once(self, registration: Registration) -> int:
        """Takes what waits, at most a set, and works on it; returns how many ids it took. Raises RedisError."""
        self._beat()
        if self._database_away:
            # What is taken off the queue now would only become the sweep's.
            self._stopped.wait(DATABASE_RETRY_PAUSE)
        self._attempts.reserve(self._beat)
        ids: list[str] = []
        try:
            ids = self._take(registration, self._pace.set_size(self._provisioning.set_at_most))
            slots = self._wait_for_slots(ids) if ids else 0
        finally:
            if not ids:
                self._attempts.release()
        if ids:
            self._attempts.begin(lambda: self._work(registration, ids, slots))
        return len(ids)

    def _take(self, registration: Registration, at_most: int) -> list[str]:
        """Waits for the first id and takes those behind it along."""
        taken: Any = self._redis.blmpop(QUEUE_WAIT, 1, registration.queue_key, direction="LEFT", count=at_most)
        ids = [job_id.decode() for job_id in taken[1]] if taken else []
        if ids:
            registration.started(ids)
        return ids

    def _wait_for_slots(self, ids: Sequence[str]) -> int:
        """How many of these may be started now; 0: none, they are left to the sweep. What is finished takes no slot."""
        if not self._pace.limited:
            return len(ids)
        try:
            count = self._claims.claimable([UUID(job_id) for job_id in ids])
            self._database_away = False
            return count if count and self._pace.wait_for_slots(count, self._stopped.is_set) else 0
        except DatabaseUnavailable:
            self._database_away = True
            return 0

    def _work(self, registration: Registration, ids: Sequence[str], slots: int) -> None:
        began_at = time.perf_counter()
        attempts: list[Attempt] = []
        try:
            if slots:
                attempts = self._provisioning.provision_new([UUID(job_id) for job_id in ids], Door.QUEUE)
                self._use_up(slots - len(attempts))
                self._database_away = False
        except DatabaseUnavailable as error:
            self._database_away = True
            get_logger(__name__).warning("what was queued is left to the sweep", error=str(error), requests=len(ids))
        self._meter.count(Door.QUEUE, attempts, began_at)
        _say_ended(registration, ids, attempts)

    def _use_up(self, slots: int) -> None:
        """The sweep was faster with some of them. In a backlog both work at the head of the line, so that this is
        common: the slots go to the requests that have been due longest, instead of to nobody."""
        if slots > 0 and self._pace.limited:
            began_at = time.perf_counter()
            claims = self._claims.claim_due(slots, door=Door.SWEEP, with_tried=False)
            self._meter.count(Door.SWEEP, self._provisioning.provision(claims, Door.SWEEP), began_at)

    def _wait_for_redis(self) -> None:
        """Until it answers and takes writes: a read-only replica or a full memory is of no use here."""
        said = False
        while not self._stopped.is_set():
            self._beat()
            try:
                self._redis.set("tripwire:probe", "1", ex=60)
            except RedisError as error:
                if not said:
                    get_logger(__name__).warning("the worker waits for Redis", error=type(error).__name__)
                said = True
                self._stopped.wait(WORKER_REDIS_POLL)
            else:
                return


def _say_ended(registration: Registration, ids: Sequence[str], attempts: Sequence[Attempt]) -> None:
    failed = {str(attempt.request_id) for attempt in attempts if attempt.outcome is Outcome.FAILED}
    completed = sum(attempt.outcome in DONE for attempt in attempts)
    try:
        registration.ended(ids, failed=failed, completed=completed)
    except RedisError as error:
        get_logger(__name__).warning("jobs are done, but Redis was not told", error=type(error).__name__)
