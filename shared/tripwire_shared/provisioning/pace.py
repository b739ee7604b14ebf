"""The pace: at most WORKER_RATE_LIMIT attempts a second over all workers, sweeps and hosts, with Redis or without.

One row in PostgreSQL grants slots on one clock, ten percent further apart than the limit asks: at ten a second 110 ms,
so that any second, wherever it begins, holds at most ten. An idle system grants the first slot at once.
"""

import time
from collections.abc import Callable

from tripwire_shared.database import Database
from tripwire_shared.sql import load_queries

SAFETY = 1.1


class Pace:
    def __init__(self, database: Database, per_second: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self._database, self._sleep = database, sleep
        self._spacing = SAFETY / per_second if per_second else 0.0
        self._sql = load_queries(__file__)

    def wait_for_slot(self) -> None:
        """Takes the next slot and sleeps until it comes; returns at once where there is no limit."""
        if not self._spacing:
            return
        with self._database.connection() as connection:
            wait: float = self._sql.take_slot(connection, spacing=self._spacing)
        if wait > 0:
            self._sleep(wait)
