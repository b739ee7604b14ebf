"""The mode as this process knows it: fresh for CONFIG_CACHE_TTL_SECONDS, dropped at once when a switch is told."""

import threading
import time
from collections.abc import Callable

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.mode.mode import ModeRecord


class ModeCache:
    """Asks `read` at most once per `ttl` seconds, however many threads ask at the moment of expiry."""

    def __init__(self, read: Callable[[], ModeRecord], ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._read, self._ttl, self._clock = read, ttl, clock
        # Guards the reload, so that one thread queries; the others keep using the last known record meanwhile.
        self._reloading = threading.Lock()
        # Guards the comparison with what is known: reload and listener may both bring a record at the same moment.
        self._storing = threading.Lock()
        self._known: ModeRecord | None = None
        self._good_until = float("-inf")

    def current(self) -> ModeRecord:
        """The mode to obey. Where the database cannot be asked, the last known one; raises DatabaseUnavailable only
        where none was ever known."""
        known = self._known
        if known is not None and self._clock() < self._good_until:
            return known
        if known is not None and self._reloading.locked():
            return known  # another thread is asking; only with nothing known must all wait for the first answer
        with self._reloading:
            if self._known is not None and self._clock() < self._good_until:
                return self._known
            return self._reload_or_keep()

    def store(self, record: ModeRecord) -> None:
        """Takes a record that was just read (by the listener). An older version never replaces a newer one."""
        with self._storing:
            if self._known is None or record.version >= self._known.version:
                self._known = record
                self._good_until = self._clock() + self._ttl

    def _reload_or_keep(self) -> ModeRecord:
        try:
            self.store(self._read())
        except DatabaseUnavailable:
            if self._known is None:
                raise
            # Ask again after the same time, not with every request: the database has enough to do.
            self._good_until = self._clock() + self._ttl
            get_logger(__name__).warning("mode not readable, the last known one is kept", mode=self._known.mode)
        assert self._known is not None  # stored above, or kept
        return self._known
