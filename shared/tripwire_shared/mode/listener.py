"""The LISTEN thread of an API process: a switch reaches the cache within a millisecond, and the receipt goes back.

Its own connection, straight to the server (LISTEN does not pass a transaction pooler). Messages sent while it was away
are lost, so it rereads on each connection. Start it after fork: a thread does not survive one.
"""

import threading

import psycopg2

from tripwire_shared.database import Connection, connect
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.mode.mode import MODE_CHANNEL, ModeRecord
from tripwire_shared.mode.mode_cache import ModeCache
from tripwire_shared.mode.mode_store import ModeStore
from tripwire_shared.runtime import THREADS, ServerWait
from tripwire_shared.timings import LISTENER_RECONNECT_PAUSE, LISTENER_WAIT


class ModeListener:
    def __init__(
        self, url: str, store: ModeStore, cache: ModeCache, service: str, server_wait: ServerWait = THREADS.wait
    ) -> None:
        self._url, self._store, self._cache, self._service = url, store, cache, service
        self._server_wait = server_wait
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mode-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        log = get_logger(__name__)
        while not self._stopped.is_set():
            try:
                self._listen()
            except (psycopg2.Error, DatabaseUnavailable, OSError) as error:
                log.warning("the mode listener lost its connection", error=type(error).__name__)
            except Exception:
                log.exception("the mode listener failed unexpectedly")
            self._stopped.wait(LISTENER_RECONNECT_PAUSE)

    def _listen(self) -> None:
        connection = connect(self._url, f"tripwire-{self._service}-listener", self._server_wait)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {MODE_CHANNEL}")
            self._apply(connection)
            while not self._stopped.is_set():
                if self._told(connection):
                    self._apply(connection)
        finally:
            connection.close()

    def _told(self, connection: Connection) -> bool:
        """Waits for a word, at most LISTENER_WAIT seconds; then asks the server whether it is still there."""
        # A word may have come in with the answer to the receipt; then the socket stays silent.
        silent = not connection.notifies and not self._server_wait.until_ready(
            connection.fileno(), to_read=True, seconds=LISTENER_WAIT
        )
        if silent:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        connection.poll()
        told = bool(connection.notifies)
        connection.notifies.clear()
        return told

    def _apply(self, connection: Connection) -> None:
        """Rereads, obeys, and only then says so."""
        record: ModeRecord = self._store.read()
        self._cache.store(record)
        self._store.write_receipt(connection, service=self._service, version=record.version)
