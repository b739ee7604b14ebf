"""Incidents: one outage of one cause, opened once over all processes and hosts, and resolved once, with its figures."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tripwire_shared.database import Database
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.health.background_writer import BackgroundWriter
from tripwire_shared.health.event import Event, EventType
from tripwire_shared.health.health_log import HealthLog, alert_body
from tripwire_shared.logs import get_logger
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.sql import load_queries
from tripwire_shared.timings import DATABASE_RETRY_PAUSE, INCIDENT_QUIET, INCIDENT_REOPEN_WITHIN

CAUSE_QUEUE = "queue unavailable"
QUEUE_FAILED = "Redis queue failed! Auto-fallback to sync mode"
QUEUE_BACK = "Redis queue is back"
RESOLVED = "RESOLVED"


@dataclass(frozen=True)
class Incident:
    id: int
    cause: str
    opened_at: datetime
    detail: str | None
    served_directly: int


class Incidents:
    """The methods that end in `_soon` never raise and never cost the caller time."""

    def __init__(self, database: Database, outbox: Outbox, health_log: HealthLog, writer: BackgroundWriter) -> None:
        self._database, self._outbox, self._health_log, self._writer = database, outbox, health_log, writer
        self._sql = load_queries(__file__)
        self._stopped = threading.Event()

    def queue_failed_soon(self, detail: str) -> None:
        self._writer.submit(_QueueFailed(self, self._health_log, detail))

    def queue_still_failing_soon(self) -> None:
        self._writer.submit(_Told(self.queue_still_failing))

    def queue_is_back_soon(self) -> None:
        """Closes the incident once it has been quiet everywhere; a thread of its own waits for that.

        The thread begins behind what is still waiting to be written: the news that the queue failed may be.
        """
        closing = threading.Thread(target=self._close_when_quiet, name="incident-close", daemon=True)
        self._writer.submit(_Told(closing.start))

    def open_now(self) -> list[Incident]:
        rows = self._database.read(lambda connection: list(self._sql.open_incidents(connection)))
        return [Incident(row.id, row.cause, row.opened_at, row.detail, row.served_directly) for row in rows]

    def stop(self) -> None:
        self._stopped.set()

    def queue_failed(self, detail: str, *, at: datetime | None = None, alert: bool = True) -> bool:
        """Opens the incident with its CRITICAL event and alert in one transaction, or continues it; True: opened.

        `at` and `alert` as in `HealthLog.record_in`.
        """
        with self._database.transaction() as connection:
            if self._sql.continue_incident(connection, cause=CAUSE_QUEUE, reopen_within=INCIDENT_REOPEN_WITHIN):
                return False
            if self._sql.open_incident(connection, cause=CAUSE_QUEUE, detail=detail, at=at) is None:
                return False
            self._health_log.record_in(connection, queue_failed_event(detail), at=at, alert=alert)
        self._health_log.wake_alerts()
        return True

    def queue_still_failing(self) -> None:
        """It is not over. Reopens what another process, which sees the queue again, closed moments ago."""
        with self._database.connection() as connection:
            self._sql.continue_incident(connection, cause=CAUSE_QUEUE, reopen_within=INCIDENT_REOPEN_WITHIN)

    def resolve_queue(self) -> bool:
        """Closes the incident with INFO and a RESOLVED alert if it is quiet; True: nothing is open any more."""
        with self._database.transaction() as connection:
            closed = self._sql.resolve_incident(connection, cause=CAUSE_QUEUE, quiet=INCIDENT_QUIET)
            if closed is None:
                return not self._sql.is_open(connection, cause=CAUSE_QUEUE)
            about = {
                "started_at": closed.opened_at.isoformat(),
                "duration_seconds": round(closed.seconds, 1),
                "requests_served_synchronously": closed.served_directly,
            }
            self._health_log.record_in(connection, Event(EventType.INFO, QUEUE_BACK, about))
            self._outbox.put_alert(connection, alert_body(RESOLVED, QUEUE_BACK, about))
        self._health_log.wake_alerts()
        return True

    def _close_when_quiet(self) -> None:
        # Ends: whoever still sees failures closes it later; at the start of a process this runs again.
        tries = 0
        while tries < CLOSE_TRIES and not self._stopped.wait(DATABASE_RETRY_PAUSE):
            try:
                if self.resolve_queue():
                    return
                tries += 1
            except DatabaseUnavailable:
                continue  # not a try: the incident is closed when the database is back
            except Exception:
                get_logger(__name__).exception("the incident could not be closed")
                tries += 1


# One a second: longer than any process needs to see that the queue is back.
CLOSE_TRIES = 120


def queue_failed_event(detail: str) -> Event:
    return Event(EventType.CRITICAL, QUEUE_FAILED, {"cause": detail})


class _Told:
    """News without an alert of its own."""

    def __init__(self, write: Callable[[], None]) -> None:
        self.write = write

    def say_without_database(self) -> None:
        return


class _QueueFailed:
    """The news of an outage on its way. Where the database is away too, the alert goes out from memory, once."""

    def __init__(self, incidents: Incidents, health_log: HealthLog, detail: str) -> None:
        self._incidents, self._health_log, self._detail = incidents, health_log, detail
        self._happened_at = datetime.now(UTC)
        self._at: datetime | None = None
        self._alerted = False

    def write(self) -> None:
        self._incidents.queue_failed(self._detail, at=self._at, alert=not self._alerted)

    def say_without_database(self) -> None:
        self._at = self._happened_at
        self._alerted = self._health_log.send_directly(queue_failed_event(self._detail), self._happened_at)
