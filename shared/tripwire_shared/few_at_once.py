"""A part of a process' capacity: who comes when it is in use is refused at once and never waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tripwire_shared.errors import TripwireError


class TooManyAtOnce(TripwireError):
    """Too many passwords are being checked or set at this moment; try again in a second."""


class FewAtOnce:
    """At most `at_most` at a time, one at least. Safe for threads."""

    def __init__(self, at_most: int) -> None:
        self._free = threading.BoundedSemaphore(max(1, at_most))

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises TooManyAtOnce."""
        if not self._free.acquire(blocking=False):
            raise TooManyAtOnce
        try:
            yield
        finally:
            self._free.release()
