"""Which minutes somebody measured: by them a chart tells "the system was off" from "there was nothing to do".

The sweep process writes them, since it is what must run wherever customers are provisioned from the queue.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.timings import MEASURED_MINUTES_KEPT, MINUTE_IS_OVER_AFTER, MINUTE_OVERDUE_AFTER


@dataclass(frozen=True)
class Minute:
    """What finished in the minute that began `at`. `is_last`: it is the one that has just ended. The percentiles, in
    seconds from accepted to provisioned, are None where nobody was provisioned."""

    at: datetime
    is_last: bool
    queued: int
    direct: int
    fallback: int
    failed: int
    p50: float | None
    p95: float | None

    @property
    def provisioned(self) -> int:
        return self.queued + self.direct + self.fallback


class MeasuredMinutes:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def measure(self, connection: Connection, watched: float) -> list[Minute]:
        """Notes, in the caller's transaction, each minute that ended within the last `watched` seconds, where no other
        process has; gives those of them in which requests finished, oldest first."""
        rows = self._sql.measure(connection, watched=watched, at_most=MEASURED_MINUTES_KEPT, delay=MINUTE_IS_OVER_AFTER)
        return [_minute(row) for row in rows]

    def next_in(self, connection: Connection) -> float:
        """Seconds until there is another minute to measure."""
        seconds: float = self._sql.next_in(connection, delay=MINUTE_IS_OVER_AFTER)
        return seconds

    def buckets(self, since: datetime, bucket_seconds: int) -> frozenset[datetime]:
        """Of the spans of `bucket_seconds` that follow each other from `since` to now: the beginnings of those in which
        somebody measured."""
        rows = self._database.read(
            lambda connection: list(
                self._sql.measured_buckets(
                    connection, since=since, bucket=bucket_seconds, overdue=MINUTE_OVERDUE_AFTER
                )
            )
        )  # fmt: skip
        return frozenset(row.bucket for row in rows)


def _minute(row: Any) -> Minute:
    p50, p95 = row.percentiles or (None, None)
    return Minute(row.minute, row.is_last, row.queued, row.direct, row.fallback, row.failed, p50, p95)
