"""Addresses of hosts, looked up within a limit: `getaddrinfo` itself cannot be interrupted, and where no name server
answers it takes half a minute.

Each look-up runs in a thread of its own, one for each name at a time, however many wait for it; who waited too long
leaves it. What it finds late is kept for a moment, so that a name server that is slower than somebody's patience does
not keep them away for ever. In a process of greenlets `threading` and `socket` are gevent's, and this is the same.
"""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from tripwire_shared.timings import ADDRESSES_KEPT, LOOK_UP_LATE_AFTER

Addresses = tuple[str, ...]


def ask_system(host: str) -> Addresses:
    """May take for as long as its name servers are asked. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class NameLookups:
    """Safe for threads, but not across a fork: whoever connects has one of their own. `ask` gives the addresses of a
    host, or raises OSError; it may take for ever."""

    def __init__(
        self, ask: Callable[[str], Addresses] = ask_system, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._clock = ask, clock
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Addresses]] = {}
        self._late: dict[str, tuple[Future[Addresses], float]] = {}

    def addresses(self, host: str, seconds: float) -> Addresses:
        """Raises OSError; TimeoutError, which is one, after `seconds`."""
        try:
            return self._begun(host).result(max(0.0, seconds))
        except TimeoutError:
            raise TimeoutError(f"No answer of the name server within {seconds:.1f} s.") from None

    def _begun(self, host: str) -> Future[Addresses]:
        with self._lock:
            late, until = self._late.get(host, (None, 0.0))
            if late is not None and self._clock() < until:
                return late
            if host not in self._under_way:
                self._under_way[host] = Future()
                name = f"look-up-{host}"
                threading.Thread(target=self._run, args=(host, self._under_way[host]), name=name, daemon=True).start()
            return self._under_way[host]

    def _run(self, host: str, found: Future[Addresses]) -> None:
        began_at = self._clock()
        try:
            found.set_result(self._ask(host))
        except BaseException as error:  # whatever it is, it is theirs who wait
            found.set_exception(error)
        with self._lock:
            del self._under_way[host]
            if found.exception() is None and self._clock() - began_at > LOOK_UP_LATE_AFTER:
                self._late[host] = (found, self._clock() + ADDRESSES_KEPT)
