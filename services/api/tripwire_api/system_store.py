"""What PostgreSQL knows for the figures and charts of System Health. The statements stand in `system_store.sql`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tripwire_shared.metrics.measured_minutes import MeasuredMinutes
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries


@dataclass(frozen=True)
class Bucket:
    """A span of time: customers provisioned in it by mode, requests that failed in it (all None where nobody measured
    and nothing finished), and how long the provisioned ones took from being accepted (None where there were none)."""

    at: datetime
    queued: int | None
    direct: int | None
    fallback: int | None
    failed: int | None
    p50: float | None
    p95: float | None


class SystemStore:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, minutes: MeasuredMinutes) -> None:
        self._database, self._minutes = database, minutes
        self._sql = load_queries(__file__)

    def figures(self) -> Any:
        """The one row of the query of this name."""
        return self._database.read(self._sql.figures)

    def history(self, bucket_seconds: int, buckets: int) -> list[Bucket]:
        """Oldest first; the last one is the bucket we are in."""
        rows = self._database.read(
            lambda connection: list(self._sql.history(connection, bucket=bucket_seconds, buckets=buckets))
        )
        measured = self._minutes.buckets(rows[0].at, bucket_seconds)
        return [_bucket(row, measured=row.at in measured) for row in rows]


def _bucket(row: Any, *, measured: bool) -> Bucket:
    if not measured and not row.finished:
        return Bucket(row.at, None, None, None, None, None, None)
    p50, p95 = row.percentiles or (None, None)
    return Bucket(row.at, row.queued, row.direct, row.fallback, row.failed, p50, p95)
