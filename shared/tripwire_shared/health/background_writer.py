"""Writes what must not cost a request any time: a bounded queue in memory and one thread that works it off in order."""

import queue
import threading
from collections.abc import Callable

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.timings import DATABASE_RETRY_PAUSE, HEALTH_QUEUE_SIZE


class BackgroundWriter:
    """Each job is called until it no longer raises DatabaseUnavailable; other exceptions are logged and end it."""

    def __init__(self, size: int = HEALTH_QUEUE_SIZE) -> None:
        self._jobs: queue.Queue[Callable[[], None]] = queue.Queue(size)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Writes what is left, for at most `timeout` seconds."""
        self._stopped.set()
        self.submit(lambda: None)
        if self._thread.is_alive():
            self._thread.join(timeout)

    def submit(self, job: Callable[[], None]) -> None:
        """Never raises and never waits; a full queue drops the job and says so in the log."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            get_logger(__name__).error("the health log's queue is full: an event is dropped")

    def _run(self) -> None:
        while not (self._stopped.is_set() and self._jobs.empty()):
            self._work_off(self._jobs.get())

    def _work_off(self, job: Callable[[], None]) -> None:
        log = get_logger(__name__)
        while True:
            try:
                return job()
            except DatabaseUnavailable:
                log.warning("the health log waits for the database")
            except Exception:
                log.exception("a health event could not be written")
                return None
            if self._stopped.wait(DATABASE_RETRY_PAUSE):
                log.error("stopped while the database was away: a health event is lost")
                return None
