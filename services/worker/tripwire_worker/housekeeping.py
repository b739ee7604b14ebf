"""Housekeeping: removes what is past its retention and prepares what a search looks into, once an hour, in batches that
hold nobody up."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.timings import RETENTION_CATCH_UP_PAUSE, RETENTION_INTERVAL, RETENTION_RUN_LIMIT
from tripwire_worker.retention import Batch, Retention, retentions

# Errors that the database raises for a statement of ours while it is there and well.
REFUSALS = {"57014": "a statement took longer than its limit", "55P03": "others held the rows for too long"}


@dataclass
class Run:
    """`changed`: rows by what they were. `done` is False where time was up or something failed."""

    changed: Counter[str] = field(default_factory=Counter)
    done: bool = True


class Housekeeping:
    """In each sweep process; one of all hosts works at a time. `run_limit`: seconds after which a run ends."""

    def __init__(self, database: Database, retention_days: int, run_limit: float = RETENTION_RUN_LIMIT) -> None:
        self._database, self._retention_days, self._run_limit = database, retention_days, run_limit
        self._sql = load_queries(__file__)
        self._retentions = retentions(self._sql)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def run_once(self) -> Run:
        """Raises DatabaseUnavailable where nothing could be begun."""
        give_up_at = time.monotonic() + self._run_limit
        with self._database.connection() as connection:
            self._sql.set_retention(connection, days=str(self._retention_days))
        run, waiting = Run(), list(self._retentions)
        for retention in waiting:
            retention.begin()
        # A batch of each in turn, so that a long backlog of one holds up no other.
        while waiting:
            for retention in list(waiting):
                if self._stopped.is_set() or time.monotonic() >= give_up_at:
                    return Run(run.changed, done=False)
                if not self._goes_on(retention, run):
                    waiting.remove(retention)
        return run

    def _goes_on(self, retention: Retention, run: Run) -> bool:
        """One batch; True where another is to follow."""
        began_at = time.monotonic()
        try:
            batch = self._batch(retention)
        except DatabaseUnavailable as error:
            get_logger(__name__).warning("a clean-up did not get through", what=retention.name, **_reason(error))
            run.done = False
            return False
        except Exception:
            get_logger(__name__).exception("a clean-up failed unexpectedly", what=retention.name)
            run.done = False
            return False
        run.changed[retention.name] += batch.changed
        if batch.more:
            # The server is others' for half of the time.
            self._stopped.wait(time.monotonic() - began_at)
        return batch.more

    def _batch(self, retention: Retention) -> Batch:
        with self._database.transaction() as connection:
            if not self._sql.is_our_turn(connection):
                return Batch(0, more=False)
            return retention.batch(connection)

    def _run(self) -> None:
        log = get_logger(__name__)
        pause = 0.0
        while not self._stopped.wait(pause):
            pause = RETENTION_CATCH_UP_PAUSE
            try:
                run = self.run_once()
            except DatabaseUnavailable as error:
                log.warning("housekeeping put off", **_reason(error))
            except Exception:
                log.exception("housekeeping failed unexpectedly")
            else:
                log.info("housekeeping done" if run.done else "housekeeping goes on soon", changed=dict(+run.changed))
                if run.done:
                    pause = RETENTION_INTERVAL


def _reason(error: DatabaseUnavailable) -> dict[str, str | None]:
    code = getattr(error.__cause__, "pgcode", None)
    return {"reason": REFUSALS.get(code or "", str(error)), "sqlstate": code}
