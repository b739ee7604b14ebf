"""How a process waits for the database server, and where it computes for long.

A process of threads does both where it stands. One whose requests are greenlets of a single thread (`serving/`) must
not: whatever blocks there blocks everybody.
"""

import select
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


class ServerWait(Protocol):
    def until_ready(self, fileno: int, *, to_read: bool, seconds: float) -> bool:
        """Returns when the socket can be read (or written), after `seconds` at the latest; False: it cannot yet."""

    def has_input(self, fileno: int) -> bool:
        """Whether something is there to be read; never waits. Raises OSError for a bad one."""


class Compute(Protocol):
    def __call__(self, function: Callable[[], T]) -> T:
        """What `function` gives or raises; it takes long and touches nothing that others use."""


class PollWait:
    """In a thread, which may block."""

    def until_ready(self, fileno: int, *, to_read: bool, seconds: float) -> bool:
        poller = select.poll()
        poller.register(fileno, select.POLLIN if to_read else select.POLLOUT)
        return bool(poller.poll(seconds * 1000))

    def has_input(self, fileno: int) -> bool:
        poller = select.poll()
        poller.register(fileno, select.POLLIN)
        return bool(poller.poll(0))


def here(function: Callable[[], T]) -> T:
    """In the thread that asks."""
    return function()


@dataclass(frozen=True)
class Runtime:
    wait: ServerWait
    compute: Compute


THREADS = Runtime(PollWait(), here)
