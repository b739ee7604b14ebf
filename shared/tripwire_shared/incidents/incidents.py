"""Incidents: one outage of one cause, opened once over all processes and hosts, and resolved once, with its figures."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from tripwire_shared.answers.history import Incident
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.causes import REQUESTS, Cause
from tripwire_shared.events.event import Event
from tripwire_shared.events.health_log import HealthLog, alert_body
from tripwire_shared.incidents.incident_store import IncidentStore
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.timings import TELLING_HEAD_START, TELLING_POLL

RESOLVED = "RESOLVED"


class Incidents:
    """`alerts_directly`: whether this process sends alerts past PostgreSQL (one a host does)."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        health_log: HealthLog,
        writer: BackgroundWriter,
        *,
        alerts_directly: bool,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database, self._outbox, self._health_log, self._writer = database, outbox, health_log, writer
        self.alerts_directly, self._sleep = alerts_directly, sleep
        self._store = IncidentStore()

    def failed_soon(self, cause: Cause, detail: str) -> None:
        """Opens or continues the incident. Never raises and never costs the caller time."""
        self._writer.submit_incident(_Failed(self, self._health_log, cause, detail))

    def request_failed(self, connection: Connection, request_id: UUID, attempts: int, error: str) -> None:
        """CRITICAL for each request that used up its attempts, in the caller's transaction; after the first a minute's
        alerts are one message."""
        about = {"request_id": str(request_id), "attempts": attempts, "error": error}
        event = Event(REQUESTS.opening, REQUESTS.opened, about)
        self._health_log.record_in(connection, event, alert=False)
        self._outbox.put_alert_merged(connection, alert_body(event.type, event.message, about), REQUESTS.name)
        self._store.note_failure(connection, REQUESTS, error)

    def open_now(self) -> list[Incident]:
        """What is not over, the gravest first."""
        return self._database.read(self._store.open_now)

    def failed(self, cause: Cause, detail: str, *, ago: float = 0.0, alert: bool = True) -> bool:
        """Opens the incident with its event and alert in one transaction, or continues it; True: opened.

        `ago`: seconds since the failure was seen. `alert` False: the alert went out already.
        """
        called_at = time.monotonic()
        with self._database.transaction() as connection:
            # A connection may have taken a while to come; the failure is as much older.
            ago += time.monotonic() - called_at
            opened_at = self._store.note_failure(connection, cause, detail, ago)
            if opened_at is None:
                return False
            self._health_log.record_in(connection, opening_event(cause, detail), at=opened_at, alert=alert)
        return True

    def resolve(self, cause: Cause, patience: float = 0.0) -> bool:
        """Closes the incident where it has been quiet (for `patience` seconds more than its cause asks), with INFO, and
        RESOLVED if its opening was an alert; True: closed."""
        with self._database.transaction() as connection:
            figures = self._store.resolve(connection, cause, patience)
            if figures is None:
                return False
            self._health_log.record_in(connection, Event(EventType.INFO, cause.resolved, figures))
            if cause.alerts:
                self._outbox.put_alert(connection, alert_body(RESOLVED, cause.resolved, figures))
        return True

    def is_known(self, cause: Cause, ago: float) -> bool:
        """Whether somebody has told of a failure that was seen `ago` seconds ago."""
        return self._database.read(lambda connection: self._store.is_known(connection, cause, ago))

    def wait_until_told(self, cause: Cause, seen_at: float) -> None:
        """Gives the process that may have alerted past PostgreSQL the first word, so that nothing is alerted twice.
        `seen_at`: when the failure was seen, by time.monotonic()."""
        deadline = time.monotonic() + TELLING_HEAD_START
        while time.monotonic() < deadline:
            if self.is_known(cause, time.monotonic() - seen_at):
                return
            self._sleep(TELLING_POLL)


def opening_event(cause: Cause, detail: str) -> Event:
    return Event(cause.opening, cause.opened, {"cause": cause.name, "reason": detail})


class _Failed:
    """The news of a failure on its way. Where the database is away its alert goes out from memory, once a host."""

    def __init__(self, incidents: Incidents, health_log: HealthLog, cause: Cause, detail: str) -> None:
        self._incidents, self._health_log, self._cause, self._detail = incidents, health_log, cause, detail
        self._seen_at, self._happened_at = time.monotonic(), datetime.now(UTC)
        self._waited = False
        self._alerted = False

    def write(self) -> None:
        if self._waited and not self._incidents.alerts_directly:
            self._incidents.wait_until_told(self._cause, self._seen_at)
        ago = time.monotonic() - self._seen_at
        self._incidents.failed(self._cause, self._detail, ago=ago, alert=not self._alerted)

    def say_without_database(self) -> None:
        self._waited = True
        if self._cause.alerts:
            # What did not arrive is stored as an alert later, with the event.
            self._alerted = self._health_log.send_directly(opening_event(self._cause, self._detail), self._happened_at)
