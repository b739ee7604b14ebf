"""How many requests are inside the application at once. The others stand in line: in order, and not for ever.

A place stands for what a request may take up inside, a database connection first of all. Who only waits, for a slow
client or for a request's end, needs none.
"""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, cast

from tripwire_shared.errors import TripwireError
from tripwire_shared.timings import PLACE_PATIENCE

# Where a request finds its own in the WSGI environment.
PLACE = "tripwire.place"


class NoPlace(TripwireError):
    """Too many requests at this moment; try again in a moment."""


class Place(Protocol):
    def left(self) -> AbstractContextManager[None]:
        """Somebody else has it for the length of the block; at its end one stands in line again."""


class Places:
    """The line needs no bound of its own: a connection has one request at a time, and connections are bounded."""

    def __init__(self, count: int, patience: float = PLACE_PATIENCE) -> None:
        self._free, self._patience = count, patience
        self._line: deque[threading.Event] = deque()
        # For both of them. A place that is given back goes to the first in line without ever being free: nobody who
        # comes at that moment overtakes.
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[Place]:
        """Raises NoPlace where none came within the patience."""
        place = _Taken(self)
        place.take()
        try:
            yield place
        finally:
            place.give_back()

    def take(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Event()
            self._line.append(turn)
        try:
            turn.wait(self._patience)
        except BaseException:  # its connection is being closed
            if not self._gave_up(turn):
                self.give_back()
            raise
        if self._gave_up(turn):
            raise NoPlace

    def give_back(self) -> None:
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1

    def _gave_up(self, turn: threading.Event) -> bool:
        """Leaves the line; False where the turn had come meanwhile."""
        with self._lock:
            if turn.is_set():
                return False
            self._line.remove(turn)
            return True


class _Taken:
    def __init__(self, places: Places) -> None:
        self._places, self._held = places, False

    def take(self) -> None:
        self._places.take()
        self._held = True

    def give_back(self) -> None:
        if self._held:
            self._held = False
            self._places.give_back()

    @contextmanager
    def left(self) -> Iterator[None]:
        self.give_back()
        try:
            yield
        finally:
            self.take()


class _Unbounded:
    def left(self) -> AbstractContextManager[None]:
        return nullcontext()


def place_of(environ: Mapping[str, Any]) -> Place:
    """The place of this request; one that nobody else needs where no server of ours is in front."""
    return cast("Place", environ.get(PLACE, _Unbounded()))
