"""The health log: events in PostgreSQL, and the alert of each CRITICAL and SWITCH stored in the same transaction."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.system import HealthEvent
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.event import Event
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.search_text import containing


class HealthLog:
    """`send_directly` sends an event's alert without PostgreSQL, and says whether it arrived."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        writer: BackgroundWriter,
        send_directly: Callable[[Event, datetime], bool],
    ) -> None:
        self._database, self._outbox, self._writer = database, outbox, writer
        self._send_directly = send_directly
        self._sql = load_queries(__file__)

    def record(self, event: Event) -> None:
        """Writes the event soon. Never raises and never costs the caller time."""
        self._writer.submit(_Recording(self, event))

    def record_in(
        self, connection: Connection, event: Event, *, at: datetime | None = None, alert: bool = True
    ) -> None:
        """Writes the event and its alert in the caller's transaction.

        `at`: when it happened, where that is not now; `alert` False: the alert went out already.
        """
        about = dict(event.metadata)
        self._sql.insert_event(connection, type=event.type, message=event.message, metadata=about, at=at)
        if alert and event.alerts:
            self._outbox.put_alert(connection, alert_body(event.type, event.message, about, at))

    def latest(
        self, limit: int, type: EventType | None = None, before: int | None = None, q: str | None = None
    ) -> list[HealthEvent]:
        """Newest first; `q`: part of the message."""
        pattern = containing(q)
        rows = self._database.read(
            lambda connection: list(
                self._sql.latest_events(connection, limit=limit, type=type, before=before, pattern=pattern)
            )
        )
        return [from_row(HealthEvent, row) for row in rows]

    def write(self, event: Event, *, at: datetime | None, alert: bool) -> None:
        """Writes the event now, in a transaction of its own. Raises DatabaseUnavailable."""
        with self._database.transaction() as connection:
            self.record_in(connection, event, at=at, alert=alert)

    def send_directly(self, event: Event, at: datetime) -> bool:
        """Past PostgreSQL, for when it is away: an alert must not depend on what failed. False: it did not arrive."""
        return self._send_directly(event, at)


class _Recording:
    """An event on its way into the log. Where the database is away its alert goes out from memory, once."""

    def __init__(self, log: HealthLog, event: Event) -> None:
        self._log, self._event, self._happened_at = log, event, datetime.now(UTC)
        # Only what is late needs this host's clock; else the database's holds.
        self._at: datetime | None = None
        self._alerted = False

    def write(self) -> None:
        self._log.write(self._event, at=self._at, alert=not self._alerted)

    def say_without_database(self) -> None:
        self._at = self._happened_at
        if self._event.alerts:
            # What did not arrive is stored as an alert later, with the event.
            self._alerted = self._log.send_directly(self._event, self._happened_at)


def alert_body(type: str, message: str, details: dict[str, Any], at: datetime | None = None) -> dict[str, Any]:
    """An alert as the outbox stores it; without `at` its time is that of the row."""
    return {"type": str(type), "message": message, "details": details, **({"at": at.isoformat()} if at else {})}
