"""The watch of an API or sweep process: sees what fails without a failed call, and closes incidents that are over.

Every such process has one: an outage must be seen although the worker service, or all but one process, is gone.
Opening and closing are single statements under a unique index, so that it does not matter how many look.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tripwire_shared.alarm_clock import AlarmClock
from tripwire_shared.alerts.direct_alerts import DirectAlerts, Told
from tripwire_shared.errors import DatabaseTakesNoWrites, DatabaseUnavailable, PoolExhausted
from tripwire_shared.events.causes import ALERTS, CAUSES, DATABASE, MAIL, QUEUE, WORKER, Cause
from tripwire_shared.incidents.database_outage import DatabaseOutage
from tripwire_shared.incidents.incidents import Incidents
from tripwire_shared.logs import get_logger
from tripwire_shared.postgres.database import Database, within
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.postgres.write_probe import WriteProbe
from tripwire_shared.timings import (
    MAIL_FAILING_AFTER,
    RESOLVED_BY_OTHERS_AFTER,
    WATCH_INTERVAL_IN_TROUBLE,
    WATCH_LOOK_LIMIT,
    WORKER_ABSENT_AFTER,
    WORKER_ABSENT_CONFIRMED,
    WRITE_TRIED_EVERY,
)


class QueueSight(Protocol):
    def trouble(self) -> str | None:
        """Why the queue failed as this process sees it; None where it has not."""

    def answers(self) -> bool:
        """Whether it is seen to work."""


@dataclass(frozen=True)
class Signs:
    """`open`: names of causes; `untold`: those of which an alert waits to be delivered; the others say why, None where
    nothing is wrong."""

    open: frozenset[str]
    untold: frozenset[str]
    mail: str | None
    alerts: str | None
    worker: str | None


class Watch:
    """`direct`: how this process alerts past PostgreSQL, or knows of those that do. `on_chat` gets what PostgreSQL says
    of the chat's move (`telegram_chat.py`). `interval`: seconds between two looks while nothing is wrong."""

    def __init__(
        self,
        database: Database,
        incidents: Incidents,
        queue: QueueSight,
        direct: DirectAlerts,
        *,
        head_start: float,
        interval: float,
        on_chat: Callable[[str | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._incidents, self._queue, self._clock = database, incidents, queue, clock
        self._probe, self._direct, self._on_chat = WriteProbe(database), direct, on_chat
        self._head_start, self._interval = head_start, interval
        self._sql = load_queries(__file__)
        self._outage = DatabaseOutage(incidents, direct, clock)
        self._absent_since: float | None = None
        # Whether an outage of the queue was told when PostgreSQL was last seen.
        self._queue_noted = False
        self._trouble = False
        self._try_write_at = float("-inf")
        self._refusal: _Refusal | None = None
        self._looking = False
        self._alarm = AlarmClock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def look_now(self) -> None:
        """Something may be wrong: has the thread look at once, and returns."""
        self._alarm.ring()

    def refused(self, reason: str) -> None:
        """PostgreSQL refused a statement of this process in a way that would hit others too. Called by any thread; one
        look tells of all that came before it."""
        if self._refusal is not None or self._looking:
            return
        self._refusal = _Refusal(reason, self._clock())
        if not self._trouble:
            self.look_now()

    def stop(self, timeout: float) -> None:
        self._stopped.set()
        self._alarm.ring()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def look(self) -> bool:
        """Looks once; True: something is wrong."""
        self._looking = True  # what is refused to this look itself needs no other
        try:
            self._trouble = self._look()
        finally:
            self._looking = False
        return self._trouble

    def _look(self) -> bool:
        seen_at, queue_trouble = self._clock(), self._queue.trouble()
        refusal, self._refusal = self._refusal, None
        try:
            with within(WATCH_LOOK_LIMIT):
                refused = self._try_write(at_once=self._trouble or refusal is not None)
                signs = self._signs()
                if refused is not None:
                    self._outage.goes_on_readably(stands=DATABASE.name in signs.open | signs.untold)
                    raise refused
                to_be_written = self._outage.is_back(stands=DATABASE.name in signs.open | signs.untold)
        except PoolExhausted as error:
            # This process' own matter, which says nothing of PostgreSQL.
            get_logger(__name__).warning("the watch could not look", reason=str(error))
            return True
        except DatabaseUnavailable as error:
            self._outage.go_on(str(error), None if self._queue_noted else queue_trouble)
            return True
        with within(WATCH_LOOK_LIMIT):
            return self._act(signs, queue_trouble, seen_at, None if to_be_written else refusal) or to_be_written

    def _try_write(self, *, at_once: bool) -> DatabaseTakesNoWrites | None:
        if not at_once and self._clock() < self._try_write_at:
            return None
        try:
            self._probe.try_write()
        except DatabaseTakesNoWrites as error:
            return error
        self._try_write_at = self._clock() + WRITE_TRIED_EVERY
        return None

    def _signs(self) -> Signs:
        row = self._database.read(
            lambda connection: self._sql.signs(
                connection,
                head_start=self._head_start,
                mail_after=MAIL_FAILING_AFTER,
                absent_after=WORKER_ABSENT_AFTER,
            )
        )
        self._on_chat(row.chat_moved)
        waited = row.nothing_taken_for
        absent = None if waited is None else f"A request has waited for {waited:.0f} s."
        return Signs(frozenset(row.open), frozenset(row.untold), row.mail, row.alerts, absent)

    def _act(self, signs: Signs, queue_trouble: str | None, seen_at: float, refusal: "_Refusal | None") -> bool:
        failing: dict[str, str | None] = {
            QUEUE.name: queue_trouble,
            WORKER.name: self._confirmed(signs),
            MAIL.name: signs.mail,
            ALERTS.name: signs.alerts,
        }
        for name, reason in failing.items():
            if reason is not None:
                # The queue was asked before PostgreSQL answered: meanwhile its outage may have been resolved.
                self._incidents.failed(CAUSES[name], reason, ago=self._clock() - seen_at if name == QUEUE.name else 0.0)
        if refusal is not None:
            # Others' writes go on, or this one would have been seen in vain.
            failing[DATABASE.name] = refusal.reason
            told = self._direct.told(DATABASE) in (Told.YES, Told.BEING_TOLD)
            self._incidents.failed(DATABASE, refusal.reason, ago=self._clock() - refusal.seen_at, alert=not told)
        self._queue_noted = queue_trouble is not None or QUEUE.name in signs.open | signs.untold
        for name in signs.open:
            if failing.get(name) is None and self._may_be_over(CAUSES[name]):
                self._resolve(CAUSES[name])
        return bool(signs.open) or any(failing.values()) or self._absent_since is not None

    def _resolve(self, cause: Cause) -> None:
        patience = RESOLVED_BY_OTHERS_AFTER if cause is DATABASE and not self._direct.speaks else 0.0
        if not self._incidents.resolve(cause, patience):
            return
        if cause is QUEUE:
            self._queue_noted = False
        if cause is DATABASE:
            self._outage.resolved()

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
        while True:
            self._alarm.ring_in(WATCH_INTERVAL_IN_TROUBLE if self._trouble else self._interval)
            self._alarm.sleep()
            if self._stopped.is_set():
                return
            try:
                self.look()
            except DatabaseUnavailable:
                self._trouble = True  # it went away between two statements, or a row was locked: the next look tells
            except Exception:
                get_logger(__name__).exception("the watch failed unexpectedly")


@dataclass(frozen=True)
class _Refusal:
    reason: str
    seen_at: float
