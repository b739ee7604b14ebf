"""Whether the database has fallen silent: accepts connections or holds them open, but answers nobody.

A closed port costs a millisecond; a silent server costs each request its whole time-out, and those behind it wait for
a free thread on top. So once nobody in this process has heard anything for a whole time-out, callers are refused at
once, except one every half second who tries; the first answer that comes in ends it. One slow statement is no silence:
the deliverers' looks twice a second are answered meanwhile.
"""

import threading
import time
from collections.abc import Callable

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.timings import SILENCE_AFTER, SILENCE_PROBE_INTERVAL


class DatabaseSilent(DatabaseUnavailable):
    """The database does not answer."""


class Silence:
    """One for each process. Plain attributes written by many threads: each write is whole, and a late one only costs
    a refusal more or a try more. The lock is for the turn to try, which one thread alone may have."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard_at = clock()
        self._silent = False
        self._next_try_at = 0.0
        self._turn = threading.Lock()

    def heard(self) -> None:
        """The server answered."""
        self._heard_at = self._clock()
        self._silent = False

    def unanswered(self, asked_at: float) -> None:
        """A wait that began at `asked_at` was given up."""
        if self._clock() - asked_at >= SILENCE_AFTER and self._heard_at < asked_at:
            self._silent = True

    def check(self) -> None:
        """Raises DatabaseSilent at once, where it is silent and this caller is not the one to try."""
        if not self._silent:
            return
        with self._turn:
            if self._clock() < self._next_try_at:
                raise DatabaseSilent
            self._next_try_at = self._clock() + SILENCE_PROBE_INTERVAL
