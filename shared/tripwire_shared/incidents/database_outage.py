"""An outage of PostgreSQL as one process remembers it: told past PostgreSQL while it lasts, written afterwards."""

from collections.abc import Callable
from datetime import UTC, datetime

from tripwire_shared.alerts.alert import Alert
from tripwire_shared.alerts.direct_alerts import DirectAlerts, Told
from tripwire_shared.events.causes import DATABASE, QUEUE
from tripwire_shared.incidents.incidents import Incidents, opening_event
from tripwire_shared.logs import get_logger
from tripwire_shared.timings import TELLING_HEAD_START, WATCH_MISSES


class DatabaseOutage:
    """So that alert and RESOLVED take turns, an outage is told past PostgreSQL only where Telegram's last word was not
    of one already: none was open when PostgreSQL was last seen, and no alert of one waited to be delivered.
    """

    def __init__(self, incidents: Incidents, direct: DirectAlerts, clock: Callable[[], float]) -> None:
        self._incidents, self._direct, self._clock = incidents, direct, clock
        self._misses = 0
        self._reason = ""
        self._began, self._began_at = clock(), datetime.now(UTC)
        self._missed_at = self._began
        self._back_since: float | None = None
        # Whether Telegram's last word is of an outage, or will be before it can be anything else.
        self._told = False
        # Whether the alert of this very outage went out past PostgreSQL.
        self._alerted = False
        # Whether Redis may keep that one was told: by this process, or before it began by one that died.
        self._noted = True
        # Whether Redis keeps for whoever takes over that PostgreSQL holds one, or an alert of one.
        self._stands = False
        self._queue_told = False

    def go_on(self, reason: str, queue_trouble: str | None) -> None:
        """PostgreSQL was asked in vain."""
        self._back_since = None
        if self._misses == 0:
            self._reason, self._began, self._began_at = reason, self._clock(), datetime.now(UTC)
            self._queue_told = self._alerted = False
        self._misses += 1
        self._missed_at = self._clock()
        if self._misses < WATCH_MISSES:
            return
        if self._misses == WATCH_MISSES:
            get_logger(__name__).error("the database is unavailable", reason=self._reason)
        if self._direct.speaks and not self._told:
            self._noted = True
            event = opening_event(DATABASE, self._reason)
            told = self._direct.send_once(DATABASE, Alert(event.type, event.message, self._began_at, event.metadata))
            self._told, self._alerted = told in (Told.YES, Told.STANDS), told is Told.YES
        if queue_trouble is not None and not self._queue_told:
            self._queue_told = True
            self._incidents.failed_soon(QUEUE, queue_trouble)

    def goes_on_readably(self, *, stands: bool) -> None:
        """PostgreSQL takes no writes, but it can be read what others told of it while they could write: `stands`, that
        an outage of it is open there, or an alert of one waits to be delivered."""
        self._told = self._told or stands

    def is_back(self, *, stands: bool) -> bool:
        """PostgreSQL answers and takes writes: writes what was seen, in this thread, so that an outage that goes on
        before it is written stays one. `stands` as above. True: something is, or is to be, written. Raises
        DatabaseUnavailable."""
        if self._misses >= WATCH_MISSES:
            if not self._is_anothers_to_tell():
                # Its begin, then its last sign. Where it was not told since the one before waits to be, it has its
                # turn after that.
                for seen_at in (self._began, self._missed_at):
                    ago = self._clock() - seen_at
                    self._incidents.failed(DATABASE, self._reason, ago=ago, alert=not self._alerted)
                get_logger(__name__).info("the database is back")
                self._misses, self._back_since, self._told = 0, None, True
            return True
        self._misses = 0
        self._told = stands
        if not self._told:
            return self._noted and self._pay()
        if self._direct.speaks and not self._stands:
            self._noted = True
            self._stands = self._direct.stands(DATABASE)
        return False

    def resolved(self) -> None:
        """Its end waits to be told. Should PostgreSQL go away before, the next outage is told all the same."""
        self._told = self._stands = False
        self._noted = not self._direct.forget(DATABASE)

    def _is_anothers_to_tell(self) -> bool:
        """Who alerted past PostgreSQL has the first word, so that nothing is alerted twice; it may have died."""
        if self._told:
            return False
        if self._back_since is None:
            self._back_since = self._clock()
        if self._clock() - self._back_since >= TELLING_HEAD_START:
            return False
        told = self._direct.told(DATABASE)
        if told is Told.YES:
            self._alerted = True
            return False
        if told is Told.BEING_TOLD:
            return True
        return not self._direct.speaks and not self._incidents.is_known(DATABASE, ago=self._clock() - self._began)

    def _pay(self) -> bool:
        """No outage is open. Where one was told and never written, since who told it died, it is written now, so that
        its end will be told; else Redis need not keep it any longer."""
        told = self._direct.told(DATABASE)
        if told in (Told.BEING_TOLD, Told.UNKNOWN):
            return False
        ago = self._direct.told_ago(DATABASE)
        if ago is not None and not self._incidents.is_known(DATABASE, ago=ago):
            self._told = True
            return self._incidents.failed(DATABASE, "Seen by a process that has ended.", ago=ago, alert=False)
        self._stands = False
        self._noted = not self._direct.forget(DATABASE)
        return False
