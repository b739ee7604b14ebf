"""What PostgreSQL counts for System Health and its charts. The statements stand in `provisioning_figures.sql`."""

from typing import Any

from tripwire_shared.answers.history import Bucket
from tripwire_shared.metrics.measured_minutes import MeasuredMinutes
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries


class ProvisioningFigures:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, minutes: MeasuredMinutes) -> None:
        self._database, self._minutes = database, minutes
        self._sql = load_queries(__file__)

    def now(self) -> Any:
        """The one row of the query `figures`."""
        return self._database.read(self._sql.figures)

    def history(self, bucket_seconds: int, buckets: int) -> tuple[Bucket, ...]:
        """Oldest first; the last one is the bucket we are in."""
        rows = self._database.read(
            lambda connection: list(self._sql.history(connection, bucket=bucket_seconds, buckets=buckets))
        )
        measured = self._minutes.buckets(rows[0].at, bucket_seconds)
        return tuple(_bucket(row, measured=row.at in measured) for row in rows)


def _bucket(row: Any, *, measured: bool) -> Bucket:
    """Nothing is known where nobody measured and nothing finished."""
    if not measured and not row.finished:
        return Bucket(at=row.at, queued=None, direct=None, fallback=None, failed=None, p50=None, p95=None)
    p50, p95 = row.percentiles or (None, None)
    return Bucket(
        at=row.at, queued=row.queued, direct=row.direct, fallback=row.fallback, failed=row.failed, p50=p50, p95=p95
    )
