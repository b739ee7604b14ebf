"""Whether PostgreSQL takes writes: it is tried, on a row of its own.

A server that answers may still be read-only (a standby after a fail-over, a disk quota) or full.
"""

from tripwire_shared.errors import DatabaseReadOnly
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.timings import WRITTEN_LATELY


class WriteProbe:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def try_write(self) -> None:
        """Raises DatabaseTakesNoWrites, or another DatabaseUnavailable. One statement; over all processes one in
        WRITTEN_LATELY seconds writes."""
        row = self._database.read(lambda connection: self._sql.try_write(connection, every=WRITTEN_LATELY))
        if row.next_session_only_reads:
            raise DatabaseReadOnly
