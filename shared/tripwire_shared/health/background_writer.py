"""Writes what must not cost a request any time: a bounded line in memory and one thread that works it off in order."""

import threading
from collections import deque
from typing import Protocol

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.timings import DATABASE_RETRY_PAUSE, HEALTH_QUEUE_SIZE


class News(Protocol):
    """Something to be written."""

    def write(self) -> None:
        """Raises DatabaseUnavailable; then it is called again later. Any other exception ends it."""

    def say_without_database(self) -> None:
        """Called once where it has to wait for the database: alerts go out past it. Must not raise."""


class BackgroundWriter:
    """Writes in order. While the database is away nothing is lost until the line is full; then what is new is."""

    def __init__(self, size: int = HEALTH_QUEUE_SIZE) -> None:
        self._size = size
        self._line: deque[News] = deque()
        # How many at the head of the line have had their turn at `say_without_database`.
        self._said = 0
        self._dropped = 0
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Writes what is left, for at most `timeout` seconds."""
        self._stopped.set()
        with self._changed:
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def submit(self, news: News) -> None:
        """Never raises and never waits. A full line drops it; how many were dropped is said when there is room."""
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
                    get_logger(__name__).error("stopped while the database was away", events_lost=len(self._line))
                    return
                self._wait_for_database()
                continue
            except Exception:
                get_logger(__name__).exception("a health event could not be written")
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
            get_logger(__name__).error("the health log's line was full", events_dropped=dropped)

    def _wait_for_database(self) -> None:
        """Says what waits, also what comes in meanwhile; returns when it is time to try the database again."""
        if not self._said:
            get_logger(__name__).warning("the health log waits for the database")
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
