"""One line a minute in the health log: how many customers were provisioned, which way and how fast, and what failed."""

import threading
import time

from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.events.event import Event
from tripwire_shared.events.health_log import HealthLog
from tripwire_shared.logs import get_logger
from tripwire_shared.metrics.measured_minutes import MeasuredMinutes, Minute
from tripwire_shared.postgres.database import Database
from tripwire_shared.timings import DATABASE_RETRY_PAUSE


class MinuteReport:
    """In each sweep process; a minute is reported once over all of them. Minutes that end while PostgreSQL is away are
    reported when it is back: this process was there. Those of which no process saw the end stay unmeasured."""

    def __init__(self, database: Database, minutes: MeasuredMinutes, health_log: HealthLog) -> None:
        self._database, self._minutes, self._health_log = database, minutes, health_log
        # Of this host's monotonic clock, which does not run while the host sleeps: such minutes were not watched.
        self._watched_since = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="minute-report", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def run_once(self) -> float:
        """Reports what ended since the last time; returns the seconds until the next minute can be reported.

        Raises DatabaseUnavailable; what was not reported is then reported by the next call.
        """
        began_at = time.monotonic()
        with self._database.transaction() as connection:
            for minute in self._minutes.measure(connection, began_at - self._watched_since):
                self._health_log.record_in(connection, minute_event(minute))
            next_in = self._minutes.next_in(connection)
        self._watched_since = began_at
        return next_in

    def _run(self) -> None:
        log = get_logger(__name__)
        pause = 0.0
        while not self._stopped.wait(pause):
            try:
                pause = self.run_once()
            except DatabaseUnavailable:
                pause = DATABASE_RETRY_PAUSE  # the watch says it
            except Exception:
                log.exception("the minute's report failed unexpectedly")
                pause = DATABASE_RETRY_PAUSE


def minute_event(minute: Minute) -> Event:
    about = {
        "minute": minute.at.isoformat(),
        "async": minute.queued,
        "sync": minute.direct,
        "fallback": minute.fallback,
        "failed": minute.failed,
        "p50": _rounded(minute.p50),
        "p95": _rounded(minute.p95),
    }
    return Event(EventType.INFO, _message(minute), about)


def _message(minute: Minute) -> str:
    customers = f"{minute.provisioned} customer{'' if minute.provisioned == 1 else 's'}"
    when = "in the last minute" if minute.is_last else f"in the minute of {minute.at:%H:%M} UTC"
    failed = f", {minute.failed} request{'' if minute.failed == 1 else 's'} failed" if minute.failed else ""
    return f"Provisioned {customers} {when}{failed}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
