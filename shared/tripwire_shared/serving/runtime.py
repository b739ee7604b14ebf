"""How a process of greenlets waits for PostgreSQL, and how it computes without holding the others up."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import gevent
from gevent import monkey, socket
from gevent.threadpool import ThreadPool

from tripwire_shared.passwords import AT_ONCE
from tripwire_shared.runtime import Runtime
from tripwire_shared.timings import CONNECT_TIMEOUT

T = TypeVar("T")
# Of real threads that compute: the loop, which answers everybody, comes first.
NICE = 10
# gevent's own does not look before it waits: asked without patience it sees nothing.
_poll, _POLLIN = monkey.get_original("select", ["poll", "POLLIN"])


class LoopWait:
    """By the loop's own watchers: a patched `poll` costs many times as much."""

    def until_ready(self, fileno: int, *, to_read: bool, seconds: float) -> None:
        wait = socket.wait_read if to_read else socket.wait_write
        with contextlib.suppress(TimeoutError):
            wait(fileno, timeout=seconds)

    def has_input(self, fileno: int) -> bool:
        poller = _poll()
        poller.register(fileno, _POLLIN)
        return bool(poller.poll(0))

    def look_up(self, host: str) -> tuple[str, ...]:
        """In one of gevent's threads: a name server that does not answer holds up nobody else."""
        with gevent.Timeout(CONNECT_TIMEOUT, TimeoutError("No answer of the name server.")):
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return tuple(dict.fromkeys(entry[4][0] for entry in found))


class ComputingThreads:
    """Real threads for what computes for long and lets go of the interpreter meanwhile, as argon2 does."""

    def __init__(self, at_once: int) -> None:
        self._pool = ThreadPool(at_once)

    def __call__(self, function: Callable[[], T]) -> T:
        outcome: Callable[[], T] = self._pool.apply(_outcome, (function,))
        return outcome()


def _outcome(function: Callable[[], T]) -> Callable[[], T]:
    """What gives the result, or raises what was raised: gevent prints what leaves its threads as an exception."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    try:
        result = function()
    except Exception as error:
        return _raising(error)
    return lambda: result


def _raising(error: Exception) -> Callable[[], T]:
    def again() -> T:
        raise error

    return again


def build_runtime() -> Runtime:
    """After fork."""
    return Runtime(LoopWait(), ComputingThreads(AT_ONCE))
