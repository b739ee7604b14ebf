"""The watch of an API or sweep process: sees what fails without a failed call, and closes incidents that are over.

Every such process has one: an outage must be seen although the worker service, or all but one process, is gone.
Opening and closing are single statements under a unique index, so that it does not matter how many look.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from tripwire_shared.alarm_clock import AlarmClock
from tripwire_shared.database import Database, within
from tripwire_shared.errors import DatabaseUnavailable, PoolExhausted
from tripwire_shared.health.alert import Alert
from tripwire_shared.health.causes import ALERTS, CAUSES, DATABASE, MAIL, QUEUE, WORKER, Cause
from tripwire_shared.health.direct_alerts import DirectAlerts
from tripwire_shared.health.incident import Incidents, opening_event
from tripwire_shared.logs import get_logger
from tripwire_shared.sql import load_queries
from tripwire_shared.timings import (
    INCIDENT_REOPEN_WITHIN,
    MAIL_FAILING_AFTER,
    WATCH_INTERVAL_IN_TROUBLE,
    WATCH_LOOK_LIMIT,
    WATCH_MISSES,
    WORKER_ABSENT_AFTER,
    WORKER_ABSENT_CONFIRMED,
)


class QueueSight(Protocol):
    def trouble(self) -> str | None:
        """Why the queue failed as this process sees it; None where it has not."""

    def answers(self) -> bool:
        """Whether it is seen to work."""


@dataclass(frozen=True)
class Signs:
    """`open`: names of causes; the others say why, None where nothing is wrong."""

    open: frozenset[str]
    mail: str | None
    alerts: str | None
    worker: str | None


class Watch:
    """`direct`: how this process alerts past PostgreSQL; None where it is not the one of its host that does.
    `interval`: seconds between two looks while nothing is wrong."""

    def __init__(
        self,
        database: Database,
        incidents: Incidents,
        queue: QueueSight,
        direct: DirectAlerts | None,
        *,
        head_start: float,
        interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._incidents, self._queue, self._clock = database, incidents, queue, clock
        self._head_start, self._interval = head_start, interval
        self._sql = load_queries(__file__)
        self._outage = _DatabaseOutage(incidents, direct, clock)
        self._absent_since: float | None = None
        # Whether an outage of the queue was told when PostgreSQL was last seen.
        self._queue_noted = False
        self._alarm = AlarmClock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def look_now(self) -> None:
        """Something may be wrong: has the thread look at once, and returns."""
        self._alarm.ring()

    def stop(self, timeout: float) -> None:
        self._stopped.set()
        self._alarm.ring()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def look(self) -> bool:
        """Looks once; True: something is wrong."""
        queue_trouble = self._queue.trouble()
        try:
            with within(WATCH_LOOK_LIMIT):
                signs = self._signs()
        except PoolExhausted as error:
            # This process' own matter, which says nothing of PostgreSQL.
            get_logger(__name__).warning("the watch could not look", reason=str(error))
            return True
        except DatabaseUnavailable as error:
            self._outage.go_on(str(error), None if self._queue_noted else queue_trouble)
            return True
        self._outage.end()
        with within(WATCH_LOOK_LIMIT):
            return self._act(signs, queue_trouble)

    def _signs(self) -> Signs:
        row = self._database.read(
            lambda connection: self._sql.signs(
                connection,
                head_start=self._head_start,
                mail_after=MAIL_FAILING_AFTER,
                absent_after=WORKER_ABSENT_AFTER,
            )
        )
        waited = row.nothing_taken_for
        absent = None if waited is None else f"A request has waited for {waited:.0f} s."
        return Signs(frozenset(row.open), row.mail, row.alerts, absent)

    def _act(self, signs: Signs, queue_trouble: str | None) -> bool:
        failing: dict[str, str | None] = {
            QUEUE.name: queue_trouble,
            WORKER.name: self._confirmed(signs),
            MAIL.name: signs.mail,
            ALERTS.name: signs.alerts,
        }
        for name, reason in failing.items():
            if reason is not None:
                self._incidents.failed(CAUSES[name], reason)
        self._queue_noted = queue_trouble is not None or QUEUE.name in signs.open
        for name in signs.open:
            if failing.get(name) is None and self._may_be_over(CAUSES[name]):
                self._incidents.resolve(CAUSES[name])
        return bool(signs.open) or any(failing.values()) or self._absent_since is not None

    def _may_be_over(self, cause: Cause) -> bool:
        """The queue must be seen to work: who saw it fail may have died, and then nobody says so any more."""
        return cause is not QUEUE or self._queue.answers()

    def _confirmed(self, signs: Signs) -> str | None:
        if signs.worker is None:
            self._absent_since = None
            return None
        if self._absent_since is None:
            self._absent_since = self._clock()
        sure = WORKER.name in signs.open or self._clock() - self._absent_since >= WORKER_ABSENT_CONFIRMED
        return signs.worker if sure else None

    def _run(self) -> None:
        trouble = False
        while True:
            self._alarm.ring_in(WATCH_INTERVAL_IN_TROUBLE if trouble else self._interval)
            self._alarm.sleep()
            if self._stopped.is_set():
                return
            try:
                trouble = self.look()
            except DatabaseUnavailable:
                trouble = True  # it went away between two statements, or a row was locked: the next look tells
            except Exception:
                get_logger(__name__).exception("the watch failed unexpectedly")


class _DatabaseOutage:
    """An outage of PostgreSQL as one process remembers it: told past PostgreSQL while it lasts, written afterwards."""

    def __init__(self, incidents: Incidents, direct: DirectAlerts | None, clock: Callable[[], float]) -> None:
        self._incidents, self._direct, self._clock = incidents, direct, clock
        self._misses = 0
        self._reason = ""
        self._began_at = datetime.now(UTC)
        self._ended = float("-inf")
        self._alerted = False
        self._queue_told = False

    def go_on(self, reason: str, queue_trouble: str | None) -> None:
        if self._misses == 0:
            self._reason, self._began_at, self._queue_told = reason, datetime.now(UTC), False
            # One that comes back at once is the same, and was alerted.
            self._alerted = self._alerted and self._clock() - self._ended < INCIDENT_REOPEN_WITHIN
        self._misses += 1
        if self._misses < WATCH_MISSES:
            return
        if self._misses == WATCH_MISSES:
            get_logger(__name__).error("the database is unavailable", reason=reason)
        if self._direct is not None and not self._alerted:
            event = opening_event(DATABASE, self._reason)
            self._alerted = self._direct.send_once(
                DATABASE, Alert(event.type, event.message, self._began_at, event.metadata)
            )
        if queue_trouble is not None and not self._queue_told:
            self._queue_told = True
            self._incidents.failed_soon(QUEUE, queue_trouble)

    def end(self) -> None:
        if self._misses == 0:
            return
        if self._misses >= WATCH_MISSES:
            get_logger(__name__).info("the database is back")
            self._incidents.failed_soon(DATABASE, self._reason, since=self._began_at, alerted=self._alerted)
            self._ended = self._clock()
        if self._direct is not None:
            self._direct.forget(DATABASE)
        self._misses = 0
