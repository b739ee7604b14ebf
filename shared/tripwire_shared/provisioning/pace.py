"""The pace: at most WORKER_RATE_LIMIT attempts a second over all workers, sweeps and hosts, with Redis or without.

One row in PostgreSQL grants slots on one clock, ten percent further apart than the limit asks: at ten a second 110 ms.
A set takes its slots as one block that begins at one moment. So that any second, wherever it begins, holds at most the
limit, a set is at most a tenth of it: the blocks that end in a second hold limit / 1.1 slots, the one that only begins
in it limit / 11 more. An idle system grants the first slot at once.
"""

import time
from collections.abc import Callable

from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.timings import SLOT_NEAR, SLOT_POLL_LEAST, SLOT_TOO_FAR, SLOT_WAIT

SAFETY = 1.1


class Pace:
    """Raises DatabaseUnavailable."""

    def __init__(
        self,
        database: Database,
        per_second: int,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._sleep, self._clock = database, sleep, clock
        self._per_second = per_second
        self._spacing = SAFETY / per_second if per_second else 0.0
        self._sql = load_queries(__file__)

    @property
    def limited(self) -> bool:
        return self._per_second > 0

    def set_size(self, at_most: int) -> int:
        """How many requests may be started together, at most `at_most`."""
        return min(at_most, max(1, int(self._per_second / (SAFETY * 10)))) if self._per_second else at_most

    def wait_for_slots(self, count: int, stopped: Callable[[], bool]) -> bool:
        """Takes `count` slots (at most a set's) and sleeps until they begin; at once where there is no limit.

        A slot that lies further ahead than SLOT_NEAR is left to others meanwhile. False where none came near within
        SLOT_WAIT seconds, or where `stopped`.
        """
        if not self._per_second:
            return True
        give_up_at = self._clock() + SLOT_WAIT
        while not stopped():
            with self._database.connection() as connection:
                answer = self._sql.take_slots(
                    connection, spacing=self._spacing, count=count, near=SLOT_NEAR, absurd=SLOT_TOO_FAR
                )
            if answer.taken:
                self._sleep(max(answer.wait, 0.0))
                return not stopped()
            pause = max(answer.wait, SLOT_POLL_LEAST)
            if self._clock() + pause > give_up_at:
                return False
            self._sleep(pause)
        return False
