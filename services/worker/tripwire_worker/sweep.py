"""The sweep: takes accepted requests that are due and nobody holds, straight from PostgreSQL. Never imports RQ.

It works while Redis is away, and it is what makes good for every process that died. One thread looks and claims as many
as may be started; the attempts are made beside it, at the pace that all workers share. It sleeps until the next request
is due, or until it is told that one became due; and it looks once an interval whatever it knows.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tripwire_shared.alarm_clock import AlarmClock
from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.postgres.database import within
from tripwire_shared.postgres.wakeups import Told
from tripwire_shared.provisioning.pace import Pace
from tripwire_shared.provisioning.provision import Provisioning
from tripwire_shared.requests.claims import ClaimStore
from tripwire_shared.requests.request import Claim
from tripwire_shared.timings import AFTER_OUTAGE_PAUSE, CHILD_PULSE, SWEEP_LOOK_LIMIT, TAKEN_BY_OTHERS_PAUSE
from tripwire_worker.attempts import Attempts
from tripwire_worker.meter import AttemptMeter


class Sweep:
    """`interval`: seconds between two looks at most. Of a new request it is not told: that is due after its head start,
    and found before. `beat` is the process' sign of life."""

    def __init__(
        self,
        claims: ClaimStore,
        provisioning: Provisioning,
        pace: Pace,
        attempts: Attempts,
        meter: AttemptMeter,
        *,
        interval: float,
        beat: Callable[[], None],
    ) -> None:
        self._claims, self._provisioning, self._pace, self._attempts = claims, provisioning, pace, attempts
        self._meter, self._interval, self._beat = meter, interval, beat
        self._stopped, self._alarm = threading.Event(), AlarmClock()
        # A request that failed before may be what kills its process: one at a time, so that it takes nobody's second
        # attempt with it. Two threads that claim at the same moment may break this; then both have one.
        self._tried_under_way = threading.Event()
        self._found_nothing = False

    def run(self) -> None:
        """Until stopped."""
        log = get_logger(__name__)
        while not self._stopped.is_set():
            try:
                pause = self.run_once()
            except DatabaseUnavailable as error:
                log.warning("the sweep cannot reach the database", error=type(error).__name__)
                self._wait_out()
                continue
            except Exception:
                log.exception("the sweep failed unexpectedly")
                pause = self._interval
            self._rest(pause)

    def stop(self) -> None:
        """No further look; a signal's handler may call it."""
        self._stopped.set()
        self._alarm.ring()

    def told(self, _: Told) -> None:
        """A request became due, or may have."""
        self._alarm.ring()

    def run_once(self) -> float:
        """Ends what has no attempt left, then begins attempts for what is due, at most a set; gives the seconds until
        it is worth looking again. Raises DatabaseUnavailable."""
        self._beat()
        self._attempts.reserve(self._beat)
        slots, pause = 0, 0.0
        try:
            with within(SWEEP_LOOK_LIMIT):
                waiting = self._claims.waiting(self._pace.set_size(self._provisioning.set_at_most))
                if waiting.exhausted:
                    self._claims.give_up(waiting.exhausted)
            # The slots before the claim: a lease must not run while we wait for the pace.
            if waiting.due and self._pace.wait_for_slots(waiting.due, self._stopped.is_set):
                slots = waiting.due
            elif not waiting.due:
                pause = self._interval if waiting.next_due_in is None else max(waiting.next_due_in, 0.0)
        finally:
            if not slots:
                self._attempts.release()
        if slots:
            self._attempts.begin(lambda: self._work(slots))
            pause = TAKEN_BY_OTHERS_PAUSE if self._found_nothing else 0.0
        return min(pause, self._interval)

    def _work(self, slots: int) -> None:
        """Claims and makes attempts until the slots are used: a request that failed before is a set of its own."""
        left = slots
        while left > 0:
            began_at = time.perf_counter()
            claims = self._claims.claim_due(left, door=Door.SWEEP, with_tried=not self._tried_under_way.is_set())
            self._found_nothing = not claims and left == slots
            if not claims:
                return
            with self._alone(claims):
                self._meter.count(Door.SWEEP, self._provisioning.provision(claims, Door.SWEEP), began_at)
            left -= len(claims)

    @contextmanager
    def _alone(self, claims: Sequence[Claim]) -> Iterator[None]:
        tried = claims[0].attempts > 1
        if tried:
            self._tried_under_way.set()
        try:
            yield
        finally:
            if tried:
                self._tried_under_way.clear()

    def _wait_out(self) -> None:
        """After a look that an outage broke off, whatever it is told: when the database is back, those whose attempt it
        broke off say so first, since it was nobody's failure."""
        until = time.monotonic() + max(self._interval, AFTER_OUTAGE_PAUSE)
        while (left := until - time.monotonic()) > 0 and not self._stopped.wait(min(left, CHILD_PULSE)):
            self._beat()

    def _rest(self, seconds: float) -> None:
        """Beats while it rests; ends at once when told or stopped."""
        self._alarm.ring_in(seconds)
        while not self._alarm.sleep(CHILD_PULSE):
            self._beat()
