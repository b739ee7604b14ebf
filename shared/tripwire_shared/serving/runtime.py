"""How a process of greenlets waits for PostgreSQL, and how it computes without holding the others up."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gevent import monkey, socket
from gevent.threadpool import ThreadPool

from tripwire_shared.passwords import AT_ONCE
from tripwire_shared.runtime import Runtime

T = TypeVar("T")
# Of real threads that compute: the loop, which answers everybody, comes first.
NICE = 5
# gevent's own does not look before it waits: asked without patience it sees nothing.
_poll, _POLLIN = monkey.get_original("select", ["poll", "POLLIN"])


class LoopWait:
    """By the loop's own watchers: a patched `poll` costs many times as much."""

    def until_ready(self, fileno: int, *, to_read: bool, seconds: float) -> bool:
        wait = socket.wait_read if to_read else socket.wait_write
        try:
            wait(fileno, timeout=seconds)
        except TimeoutError:
            return False
        return True

    def has_input(self, fileno: int) -> bool:
        poller = _poll()
        poller.register(fileno, _POLLIN)
        return bool(poller.poll(0))


class ComputingThreads:
    """Real threads for what computes for long and lets go of the interpreter meanwhile, as argon2 does.

    They and the threads that they start keep to half of the processors, where the system can see to it (Linux): the
    loop, which answers everybody, PostgreSQL and the other processes have the other half for themselves.
    """

    def __init__(self, at_once: int) -> None:
        self._pool = ThreadPool(at_once)
        self._processors = _half_of_the_processors()

    def __call__(self, function: Callable[[], T]) -> T:
        outcome = self._pool.apply(self._outcome, (function,))
        if outcome.error is not None:
            raise outcome.error
        result: T = outcome.result
        return result

    def _outcome(self, function: Callable[[], Any]) -> "_Outcome":
        """What gives the result, or raises what was raised: gevent prints what leaves its threads as an exception."""
        if self._processors:
            os.sched_setaffinity(0, self._processors)  # of this thread
        try:
            return _Outcome(function(), None)
        except Exception as error:
            return _Outcome(None, error)


@dataclass(frozen=True)
class _Outcome:
    result: Any
    error: Exception | None


def _half_of_the_processors() -> set[int]:
    """Empty where there is one only, or where they cannot be chosen."""
    if not hasattr(os, "sched_setaffinity"):
        return set()
    processors = sorted(os.sched_getaffinity(0))
    return set(processors[(len(processors) + 1) // 2 :])


def build_runtime() -> Runtime:
    """After fork."""
    return Runtime(LoopWait(), ComputingThreads(AT_ONCE))
