"""Writes what must not cost a request any time: bounded lines in memory, each with a thread that works it off in order.

Incidents have a line of their own: an outage must be said although much else waits to be written, or takes long.
"""

import threading
import time
from collections import deque
from typing import Protocol

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.timings import DATABASE_RETRY_PAUSE, LATE_WRITES_AT_MOST


class News(Protocol):
    """Something to be written."""

    def write(self) -> None:
        """Raises DatabaseUnavailable; then it is called again later. Any other exception ends it."""

    def say_without_database(self) -> None:
        """Called once where it has to wait for the database: alerts go out past it. Must not raise."""


class BackgroundWriter:
    """While the database is away nothing is lost until a line is full; then what is new is."""

    def __init__(self, size: int = LATE_WRITES_AT_MOST) -> None:
        self._late_writes, self._incidents = _Line("late-writes", size), _Line("incidents", size)

    def start(self) -> None:
        self._late_writes.start()
        self._incidents.start()

    def stop(self, timeout: float) -> None:
        """Writes what is left, for at most `timeout` seconds."""
        for line in (self._late_writes, self._incidents):
            line.end()
        give_up_at = time.monotonic() + timeout
        for line in (self._incidents, self._late_writes):
            line.join(max(0.0, give_up_at - time.monotonic()))

    def submit(self, news: News) -> None:
        """Never raises and never waits. A full line drops it; how many were dropped is said when there is room."""
        self._late_writes.submit(news)

    def submit_incident(self, news: News) -> None:
        """The same, past what else waits."""
        self._incidents.submit(news)


class _Line:
    def __init__(self, name: str, size: int) -> None:
        self._name, self._size = name, size
        self._line: deque[News] = deque()
        # How many at the head of the line have had their turn at `say_without_database`.
        self._said = 0
        self._dropped = 0
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stopped.set()
        with self._changed:
            self._changed.notify()

    def join(self, timeout: float) -> None:
        if self._thread.is_alive():
            self._thread.join(timeout)

    def submit(self, news: News) -> None:
        with self._changed:
            if len(self._line) >= self._size:
                self._dropped += 1
                return
            self._line.append(news)
            self._changed.notify()

    def _run(self) -> None:
        while (news := self._next()) is not None:
            try:
                news.write()
            except DatabaseUnavailable:
                if self._stopped.is_set():
                    get_logger(__name__).error(
                        "stopped while the database was away", line=self._name, lost=len(self._line)
                    )
                    return
                self._wait_for_database()
                continue
            except Exception:
                get_logger(__name__).exception("a late write failed", line=self._name)
            self._done()

    def _next(self) -> News | None:
        """The head of the line, which stays there until it is written; None where stopped and empty."""
        with self._changed:
            while not self._line and not self._stopped.is_set():
                self._changed.wait()
            return self._line[0] if self._line else None

    def _done(self) -> None:
        with self._changed:
            self._line.popleft()
            self._said = max(0, self._said - 1)
            dropped, self._dropped = self._dropped, 0
        if dropped:
            get_logger(__name__).error("a line of late writes was full", line=self._name, dropped=dropped)

    def _wait_for_database(self) -> None:
        """Says what waits, also what comes in meanwhile; returns when it is time to try the database again."""
        if not self._said:
            get_logger(__name__).warning("late writes wait for the database", line=self._name)
        while (news := self._unsaid()) is not None:
            news.say_without_database()
        with self._changed:
            self._changed.wait_for(lambda: len(self._line) > self._said or self._stopped.is_set(), DATABASE_RETRY_PAUSE)

    def _unsaid(self) -> News | None:
        with self._changed:
            if self._said >= len(self._line):
                return None
            self._said += 1
            return self._line[self._said - 1]
