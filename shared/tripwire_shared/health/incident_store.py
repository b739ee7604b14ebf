"""Incidents in PostgreSQL: one open row for each cause, over all processes and hosts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tripwire_shared.database import Connection
from tripwire_shared.health.causes import CAUSES, REQUESTS, Cause
from tripwire_shared.sql import load_queries
from tripwire_shared.timings import INCIDENT_REOPEN_WITHIN


@dataclass(frozen=True)
class Incident:
    """An open incident. `served_directly` and `slowest_seconds` are None where the cause has no such figure."""

    id: int
    cause: str
    opened_at: datetime
    detail: str | None
    served_directly: int | None
    slowest_seconds: float | None


class IncidentStore:
    """Everything happens on the caller's connection. Raises DatabaseUnavailable throughout."""

    def __init__(self) -> None:
        self._sql = load_queries(__file__)

    def note_failure(
        self, connection: Connection, cause: Cause, detail: str | None, at: datetime | None = None
    ) -> bool:
        """Opens the incident or continues it; True: opened. `at`: when it was seen, where that is not now."""
        if self._sql.continue_incident(connection, cause=cause.name, at=at, reopen_within=INCIDENT_REOPEN_WITHIN):
            return False
        return self._sql.open_incident(connection, cause=cause.name, detail=detail, at=at) is not None

    def resolve(self, connection: Connection, cause: Cause) -> dict[str, Any] | None:
        """Closes it where it is quiet, and gives its figures; None where it is not open or not quiet."""
        row = self._sql.resolve_incident(
            connection, cause=cause.name, quiet=cause.quiet, failed_message=REQUESTS.opened
        )
        if row is None:
            return None
        figures = {
            "started_at": row.opened_at.isoformat(),
            "duration_seconds": round(row.seconds, 1),
            "requests_served_synchronously": row.served_directly,
            "slowest_seconds": None if row.slowest_seconds is None else round(row.slowest_seconds, 3),
            "requests_failed": row.requests_failed,
        }
        return {name: figure for name, figure in figures.items() if figure is not None}

    def open_now(self, connection: Connection) -> list[Incident]:
        """The gravest first."""
        rows = [
            Incident(row.id, row.cause, row.opened_at, row.detail, row.served_directly, row.slowest_seconds)
            for row in self._sql.open_incidents(connection)
        ]
        rank = {name: place for place, name in enumerate(CAUSES)}
        return sorted(rows, key=lambda incident: rank.get(incident.cause, len(rank)))

    def is_known(self, connection: Connection, cause: Cause, at: datetime) -> bool:
        return bool(self._sql.is_known(connection, cause=cause.name, at=at))
