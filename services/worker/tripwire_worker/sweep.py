"""The sweep: takes up accepted requests that are due and nobody holds, straight from PostgreSQL. Never imports RQ.

It works while Redis is away, and it is what makes good for every process that died. Its threads claim one request each,
at the pace that all workers share.
"""

import threading
import time

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.provisioning.pace import Pace
from tripwire_shared.provisioning.provision import Door, Provisioning
from tripwire_shared.requests.request_store import RequestStore
from tripwire_worker.meter import AttemptMeter

EXHAUSTED_BATCH = 20


class Sweep:
    """`threads` attempts at once, each thread a loop of `run_once`."""

    def __init__(
        self,
        requests: RequestStore,
        provisioning: Provisioning,
        pace: Pace,
        meter: AttemptMeter,
        *,
        interval: float,
        threads: int,
    ) -> None:
        self._meter = meter
        self._requests, self._provisioning, self._pace, self._interval = requests, provisioning, pace, interval
        # Guards the two below: one thread at a time looks for work.
        self._looking = threading.Lock()
        self._waiting_for_slot = 0
        self._exhausted_again_at = 0.0
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"sweep-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> None:
        """Asks the threads to end after the attempt they are at, and waits up to `timeout` seconds for each."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout)

    def run_once(self) -> int:
        """Ends what has no attempt left, then makes one attempt if any is due; returns how many requests moved."""
        with self._looking:
            ended = self._end_exhausted()
            # As many threads wait for a slot as there are requests to take: no slot is spent on what another has.
            if not self._requests.anything_to_take(beyond=self._waiting_for_slot):
                return ended
            self._waiting_for_slot += 1
        try:
            # The slot before the claim: a lease must not run while we wait for the pace.
            self._pace.wait_for_slot()
            claims = self._requests.claim_due(1, door=Door.SWEEP)
        finally:
            with self._looking:
                self._waiting_for_slot -= 1
        for claim in claims:
            began_at = time.perf_counter()
            self._meter.count(Door.SWEEP, self._provisioning.attempt(claim, Door.SWEEP), began_at)
        return ended + len(claims)

    def _end_exhausted(self) -> int:
        """Once in an interval: it looks through all that is due."""
        if time.monotonic() < self._exhausted_again_at:
            return 0
        self._exhausted_again_at = time.monotonic() + self._interval
        return self._provisioning.give_up_exhausted(EXHAUSTED_BATCH)

    def _run(self) -> None:
        log = get_logger(__name__)
        while not self._stopped.is_set():
            try:
                if self.run_once():
                    continue
            except DatabaseUnavailable as error:
                log.warning("the sweep cannot reach the database", error=type(error).__name__)
            except Exception:
                log.exception("the sweep failed unexpectedly")
            self._stopped.wait(self._pause())

    def _pause(self) -> float:
        """Until the next request is due, at most the interval."""
        try:
            due_in = self._requests.next_due_in()
        except DatabaseUnavailable:
            return self._interval
        return self._interval if due_in is None or due_in <= 0 else min(self._interval, due_in)
