"""What a background thread sleeps by: until it is due, or until somebody wakes it before."""

import threading
import time
from collections.abc import Callable
from enum import Enum


class Ring(Enum):
    NOW = "now"
    IN_TIME = "in time"


class AlarmClock:
    """One thread sleeps by it, any may set it. What it is set to while that thread is awake is not lost: the next sleep
    ends then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Re-entrant: a signal's handler may ring it in the very thread that sleeps by it.
        self._changed = threading.Condition(threading.RLock())
        self._now = False
        self._at = float("inf")

    def ring(self) -> None:
        """Wakes the sleeper now."""
        with self._changed:
            self._now = True
            self._changed.notify()

    def ring_in(self, seconds: float) -> None:
        """Wakes the sleeper in `seconds` at the latest: of several the earliest counts."""
        at = self._clock() + seconds
        with self._changed:
            if at < self._at:
                self._at = at
                self._changed.notify()

    def sleep(self, at_most: float = threading.TIMEOUT_MAX) -> Ring | None:
        """Until it rings; None where `at_most` seconds were over before. What rang is over then, both kinds."""
        give_up_at = self._clock() + at_most
        with self._changed:
            while not self._now and (left := min(self._at, give_up_at) - self._clock()) > 0:
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
            if not self._now and self._at > self._clock():
                return None
            rang = Ring.NOW if self._now else Ring.IN_TIME
            self._now, self._at = False, float("inf")
            return rang
