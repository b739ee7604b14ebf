"""Wake-ups: what one process puts into PostgreSQL is told to those that wait for it (LISTEN and NOTIFY).

One thread and one connection for each process that waits for something, straight to the server: LISTEN does not pass a
transaction pooler (`DATABASE_LISTEN_URL`). NOTIFY does, and stands in the statements that put something in.

A wake-up only saves time. What was told while the connection was away is lost, so everybody is told to look for
themselves when it is back, and each half second while it is not; and whoever waits also looks now and then unasked.

No accept ever sends one. A transaction that has notified takes a lock of the whole server for its commit, so that such
commits follow each other, each with its own write to the disk, where others share one. Nobody needs to be told of an
accept: the queue has its id, and the sweep, which would have it after the head start alone, looks more often than that.
"""

import contextlib
import select
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import psycopg2

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.network.name_lookups import NameLookups
from tripwire_shared.postgres.database import Connection, ask_in_doubt
from tripwire_shared.postgres.session import SessionShared, connect_to_listen
from tripwire_shared.timings import LISTENER_RECONNECT_PAUSE, LISTENER_WAIT


class WakeUp(StrEnum):
    """The channels, as the statements in the `.sql` files name them."""

    MODE = "tripwire_mode"
    MAILS = "tripwire_mails"
    ALERTS = "tripwire_alerts"
    # A request became due, or will be sooner than whoever looked before could know.
    DUE = "tripwire_due"
    # Requests came to their end: their ids, separated by commas.
    FINISHED = "tripwire_finished"


@dataclass(frozen=True)
class Told:
    """`payloads`: what was said; None: anything may have happened. `connection`: the listener's own session, None while
    it has none."""

    payloads: frozenset[str] | None
    connection: Connection | None


Callback = Callable[[Told], None]


class Wakeups:
    """Build it after fork; name who listens before `start()`. Callbacks are called one after another in the listener's
    thread, in the order in which they were named, and must return soon."""

    def __init__(self, url: str, application_name: str) -> None:
        self._url, self._application_name, self._lookups = url, application_name, NameLookups()
        self._callbacks: dict[WakeUp, Callback] = {}
        self._on_lost: Callable[[], None] | None = None
        # The address is a transaction pooler's, on which nothing is heard.
        self._in_vain = False
        self._asked, self._ask = socket.socketpair()
        self._ask.setblocking(False)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)

    def listen(self, channel: WakeUp, callback: Callback) -> None:
        self._callbacks[channel] = callback

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Called when the connection is found broken, each time anew."""
        self._on_lost = callback

    def start(self) -> None:
        ask_in_doubt(self.ask_server)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        self._stopped.set()
        self.ask_server()
        if self._thread.is_alive():
            self._thread.join(timeout)
        if not self._thread.is_alive():
            self._asked.close()
            self._ask.close()

    def ask_server(self) -> None:
        """Has the listener ask the server whether it is there, soon: somebody waits for an answer and doubts it."""
        with contextlib.suppress(OSError):  # full of such calls, of which one is enough; or ended
            self._ask.send(b"?")

    def _run(self) -> None:
        while not self._stopped.is_set():
            if not self._in_vain:
                self._try(self._listen)
            if not self._stopped.is_set():
                # Nobody hears anything now: they look for themselves.
                self._try(lambda: self._tell(dict.fromkeys(self._callbacks, Told(None, None))))
            self._stopped.wait(LISTENER_RECONNECT_PAUSE)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (psycopg2.Error, DatabaseUnavailable, OSError) as error:
            get_logger(__name__).warning("the listener has no connection", error=type(error).__name__)
        except SessionShared:
            # Said at start, unless PostgreSQL was away then. Whoever waits looks unasked.
            get_logger(__name__).error("set DATABASE_LISTEN_URL: the listener's address is a pooler's")
            self._in_vain = True
        except Exception:
            get_logger(__name__).exception("the listener failed unexpectedly")

    def _listen(self) -> None:
        connection = connect_to_listen(self._url, self._application_name, self._lookups)
        try:
            with connection.cursor() as cursor:
                cursor.execute("".join(f"LISTEN {channel};" for channel in self._callbacks))
            self._tell(dict.fromkeys(self._callbacks, Told(None, connection)))
            while not self._stopped.is_set():
                self._tell(self._wait(connection))
        except BaseException:
            if self._on_lost is not None and not self._stopped.is_set():
                self._on_lost()
            raise
        finally:
            connection.close()

    def _wait(self, connection: Connection) -> dict[WakeUp, Told]:
        """What is told within LISTENER_WAIT seconds. Where nothing is, asks the server whether it is still there."""
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN)
        poller.register(self._asked.fileno(), select.POLLIN)
        # A word may have come in with the answer to a statement of this session; then the socket stays silent.
        ready = [] if connection.notifies else [file for file, _ in poller.poll(LISTENER_WAIT * 1000)]
        asked = self._asked.fileno() in ready
        if asked or not (ready or connection.notifies):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        if asked:
            self._asked.recv(4096)  # after the question: its own wait may have been doubted too
        connection.poll()
        return _sorted(_taken(connection), connection)

    def _tell(self, told: dict[WakeUp, Told]) -> None:
        """Tells everybody, also where one of them fails; then everybody is told once more, after a new connection."""
        failed: Exception | None = None
        for channel, callback in self._callbacks.items():
            try:
                if channel in told:
                    callback(told[channel])
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed


def _taken(connection: Connection) -> Iterable[tuple[str, str]]:
    taken = [(notify.channel, notify.payload) for notify in connection.notifies]
    connection.notifies.clear()
    return taken


def _sorted(notifications: Iterable[tuple[str, str]], connection: Connection) -> dict[WakeUp, Told]:
    payloads: dict[WakeUp, set[str]] = defaultdict(set)
    for channel, payload in notifications:
        payloads[WakeUp(channel)].add(payload)
    return {channel: Told(frozenset(said), connection) for channel, said in payloads.items()}
