"""Waiting for something to become true, with a limit: in place of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float = 5.0, *, step: float = 0.02, what: str = "") -> T:
    """Asks `condition` until it gives something true and returns that; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what or getattr(condition, '__name__', condition)}")
        time.sleep(step)
