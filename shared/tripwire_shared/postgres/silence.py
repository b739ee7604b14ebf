"""Whether the database has fallen silent: accepts connections or holds them open, but answers nobody.

A closed port costs a millisecond; a silent server costs each request its whole time-out, and those behind it wait for
a free thread on top. So once nobody in this process has heard anything for nearly a whole time-out, whoever is in a
hurry is refused at once. The background threads, which then ask twice a second, go on asking; the first answer that
comes in ends it. One slow statement is no silence: who waits for long has the server asked whether it is there
(`in_doubt`), and that question is answered meanwhile.
"""

import threading
import time
from collections.abc import Callable

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.timings import SILENCE_AFTER, SILENCE_DOUBTED_AFTER, SILENCE_PROBE_INTERVAL


class DatabaseSilent(DatabaseUnavailable):
    """The database does not answer."""


class Silence:
    """One for each process. Plain attributes written by many threads: each write is whole, and a late one only costs
    a refusal more or a try more. The lock is for the turn to try, which one thread alone may have.

    `ask_server` has somebody ask the server, without waiting for it: the process' listener (`wakeups.py`), where it has
    one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.ask_server: Callable[[], None] = lambda: None
        self._heard_at = clock()
        self._silent = False
        self._next_try_at = 0.0
        self._turn = threading.Lock()

    def heard(self) -> None:
        """The server answered."""
        self._heard_at = self._clock()
        self._silent = False

    def doubt(self, asked_at: float) -> None:
        """A wait that began at `asked_at` goes on. Where nobody was answered meanwhile, that may be the statement's
        slowness or the server's silence: another question tells."""
        if self._clock() - max(asked_at, self._heard_at) >= SILENCE_DOUBTED_AFTER:
            self.ask_server()

    def unanswered(self, asked_at: float) -> None:
        """A wait that began at `asked_at` was given up."""
        if self._silent or self._clock() - max(asked_at, self._heard_at) < SILENCE_AFTER:
            return
        # Not at once: who was waiting for a thread all this time must not be the one to wait once more.
        self._next_try_at = self._clock() + SILENCE_PROBE_INTERVAL
        self._silent = True

    def refuse(self) -> None:
        """Raises DatabaseSilent while it is silent; takes no turn."""
        if self._silent:
            raise DatabaseSilent

    def check(self, *, hurried: bool) -> None:
        """Raises DatabaseSilent at once while it is silent, for who has to answer somebody (`hurried`).

        One of those may try now and then all the same: a process may have no background threads.
        """
        if not self._silent or not hurried:
            return
        with self._turn:
            if self._clock() < self._next_try_at:
                raise DatabaseSilent
            self._next_try_at = self._clock() + SILENCE_PROBE_INTERVAL
