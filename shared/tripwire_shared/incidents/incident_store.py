"""Incidents in PostgreSQL: one open row for each cause, over all processes and hosts."""

from datetime import datetime
from typing import Any

from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.history import Incident
from tripwire_shared.events.causes import CAUSES, REQUESTS, Cause
from tripwire_shared.postgres.database import Connection
from tripwire_shared.postgres.sql import load_queries


class IncidentStore:
    """Everything happens on the caller's connection. Raises DatabaseUnavailable throughout."""

    def __init__(self) -> None:
        self._sql = load_queries(__file__)

    def note_failure(
        self, connection: Connection, cause: Cause, detail: str | None, ago: float = 0.0
    ) -> datetime | None:
        """Opens the incident, and gives when it began; or continues it: None. `ago`: seconds since it was seen. What
        was seen before an incident was resolved belongs to that, and opens nothing."""
        if self._sql.continue_incident(connection, cause=cause.name, ago=ago):
            return None
        opened_at: datetime | None = self._sql.open_incident(connection, cause=cause.name, detail=detail, ago=ago)
        return opened_at

    def resolve(self, connection: Connection, cause: Cause, patience: float = 0.0) -> dict[str, Any] | None:
        """Closes it where it has been quiet, for `patience` seconds more than its cause asks, and gives its figures;
        None where it is not open or not quiet."""
        row = self._sql.resolve_incident(
            connection, cause=cause.name, quiet=cause.quiet + patience, failed_message=REQUESTS.opened
        )
        if row is None:
            return None
        figures = {
            "cause": cause.name,
            "started_at": row.opened_at.isoformat(),
            "duration_seconds": round(row.seconds, 1),
            "requests_served_synchronously": row.served_directly,
            "slowest_seconds": None if row.slowest_seconds is None else round(row.slowest_seconds, 3),
            "requests_failed": row.requests_failed,
        }
        return {name: figure for name, figure in figures.items() if figure is not None}

    def open_now(self, connection: Connection) -> list[Incident]:
        """The gravest first."""
        rows = [from_row(Incident, row) for row in self._sql.open_incidents(connection)]
        rank = {name: place for place, name in enumerate(CAUSES)}
        return sorted(rows, key=lambda incident: rank.get(incident.cause, len(rank)))

    def is_known(self, connection: Connection, cause: Cause, ago: float) -> bool:
        """Whether somebody has told of what was seen `ago` seconds ago."""
        return bool(self._sql.is_known(connection, cause=cause.name, ago=ago))
