"""What PostgreSQL knows for the figures and charts of System Health. The statements stand in `system_store.sql`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tripwire_shared.database import Database
from tripwire_shared.sql import load_queries


@dataclass(frozen=True)
class Bucket:
    """A span of time: customers provisioned in it by mode, requests that failed in it, and how long the provisioned
    ones took from being accepted (None where there were none)."""

    at: datetime
    queued: int
    direct: int
    fallback: int
    failed: int
    p50: float | None
    p95: float | None


class SystemStore:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def figures(self) -> Any:
        """The one row of the query of this name."""
        return self._database.read(self._sql.figures)

    def history(self, bucket_seconds: int, buckets: int) -> list[Bucket]:
        """Oldest first; the last one is the bucket we are in."""
        rows = self._database.read(
            lambda connection: list(self._sql.history(connection, bucket=bucket_seconds, buckets=buckets))
        )
        return [_bucket(row) for row in rows]


def _bucket(row: Any) -> Bucket:
    p50, p95 = row.percentiles or (None, None)
    return Bucket(row.at, row.queued, row.direct, row.fallback, row.failed, p50, p95)
