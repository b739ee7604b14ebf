"""Retention: removes old health events and what has lost its meaning, once an hour."""

import threading

from tripwire_shared.database import Database
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.sql import load_queries
from tripwire_shared.timings import LOGIN_WINDOW, RETENTION_INTERVAL


class Housekeeping:
    def __init__(self, database: Database, retention_days: int) -> None:
        self._database, self._retention_days = database, retention_days
        self._sql = load_queries(__file__)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def run_once(self) -> int:
        """Returns how many health events were removed."""
        with self._database.connection() as connection:
            self._sql.set_retention(connection, days=str(self._retention_days))
            removed: int = self._sql.cleanup_health_logs(connection)
            self._sql.forget_login_failures(connection, window=LOGIN_WINDOW)
            self._sql.forget_dead_receipts(connection)
        return removed

    def _run(self) -> None:
        log = get_logger(__name__)
        while True:
            try:
                removed = self.run_once()
                log.info("housekeeping done", health_events_removed=removed)
            except DatabaseUnavailable:
                log.warning("housekeeping put off: the database is unavailable")
            except Exception:
                log.exception("housekeeping failed unexpectedly")
            if self._stopped.wait(RETENTION_INTERVAL):
                return
