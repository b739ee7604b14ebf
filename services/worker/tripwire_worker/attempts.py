"""Attempts beside each other: in each process at most WORKER_CONCURRENCY sets are worked on at once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from tripwire_shared.logs import get_logger
from tripwire_shared.timings import ATTEMPT_STUCK_AFTER, CHILD_PULSE, SET_ALONE_FOR


class Attempts:
    """A set has the process for itself for a moment, so that sets stay large while they are quick; one that takes
    longer (an identity provider, a password, a row that others have locked) goes on beside the next ones.

    One thread gives work out: `reserve`, then `begin` or `release`.
    """

    def __init__(self, at_once: int) -> None:
        self._places = threading.Semaphore(at_once)
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="attempt")
        # Of the giving thread alone, but for the removal of what is done, which a set does safely.
        self._began_at: dict[Future[None], float] = {}

    def reserve(self, beat: Callable[[], None]) -> None:
        """Waits for a free place; `beat` is called meanwhile."""
        while not self._places.acquire(timeout=CHILD_PULSE):
            beat()

    def release(self) -> None:
        """Nothing came for the reserved place."""
        self._places.release()

    def begin(self, work: Callable[[], None]) -> None:
        """Begins `work` in the reserved place; returns when it is done, or after a moment."""
        future = self._pool.submit(self._run, work)
        self._began_at[future] = time.monotonic()
        wait([future], SET_ALONE_FOR)
        self._began_at = {other: at for other, at in self._began_at.items() if not other.done()}

    @property
    def stuck(self) -> bool:
        """Whether one takes so long that this process must be taken to hang: everything in an attempt has a limit."""
        oldest = min((at for future, at in self._began_at.items() if not future.done()), default=None)
        return oldest is not None and time.monotonic() - oldest > ATTEMPT_STUCK_AFTER

    def finish(self, timeout: float) -> None:
        """Waits up to `timeout` seconds for those under way."""
        wait(self._began_at, timeout)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            get_logger(__name__).exception("an attempt ended unexpectedly")
        finally:
            self._places.release()
