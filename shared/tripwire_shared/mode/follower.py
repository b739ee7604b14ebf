"""A process follows the switch: a millisecond after it was told it obeys, and its receipt goes back."""

from tripwire_shared.mode.mode import ModeRecord
from tripwire_shared.mode.mode_cache import ModeCache
from tripwire_shared.mode.mode_store import ModeStore
from tripwire_shared.postgres.wakeups import Told


class ModeFollower:
    def __init__(self, store: ModeStore, cache: ModeCache, service: str) -> None:
        self._store, self._cache, self._service = store, cache, service

    def told(self, told: Told) -> None:
        """Rereads, obeys, and only then says so, in the listener's own session: the receipt is alive as long as that
        is. Raises DatabaseUnavailable and psycopg2's errors."""
        record: ModeRecord = self._store.read()
        self._cache.store(record)
        if told.connection is not None:
            self._store.write_receipt(told.connection, service=self._service, version=record.version)
