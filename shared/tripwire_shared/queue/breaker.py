"""The circuit breaker before the queue: one per process, so that it needs nothing that could be down.

Closed: calls go through. The first failure opens it; while it is open calls are refused in microseconds and a
background probe looks every half second; one success closes it.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from tripwire_shared.answers.vocabulary import BreakerState
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.timings import BREAKER_PROBE_INTERVAL

T = TypeVar("T")


class Breaker:
    """Guards calls that raise QueueUnavailable.

    `probe` is called by the background thread while open and raises QueueUnavailable too. `on_open` gets the reason;
    it and the listeners are called outside the lock and must return at once.
    """

    def __init__(
        self,
        probe: Callable[[], None],
        *,
        on_open: Callable[[str], None],
        probe_interval: float = BREAKER_PROBE_INTERVAL,
    ) -> None:
        self._probe, self._on_open, self._probe_interval = probe, on_open, probe_interval
        self._listeners: list[Callable[[BreakerState], None]] = []
        # The lock guards only the change of state, never a call: calls run side by side, and a read of one attribute
        # needs no lock. The epoch counts changes: a call that began before the last one says nothing about now.
        self._lock = threading.Lock()
        self._epoch = 0
        self._state = BreakerState.CLOSED
        self._reason = ""
        self._opened = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="breaker-probe", daemon=True)

    @property
    def state(self) -> BreakerState:
        return self._state

    @property
    def trouble(self) -> str | None:
        """Why it is open; None while it is closed."""
        return self._reason if self._state is BreakerState.OPEN else None

    def listen(self, listener: Callable[[BreakerState], None]) -> None:
        """Tells `listener` the state now and after each change."""
        self._listeners.append(listener)
        listener(self._state)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._opened.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2 * self._probe_interval + 1)

    def call(self, function: Callable[[], T]) -> T:
        """Runs `function`, or raises QueueUnavailable at once while open. A failure opens the breaker."""
        epoch = self._epoch
        if self._state is BreakerState.OPEN:
            raise QueueUnavailable("The queue is left alone: the breaker is open.")
        try:
            return function()
        except QueueUnavailable as error:
            if self._change(BreakerState.OPEN, epoch, str(error)):
                self._opened.set()
                self._on_open(str(error))
            raise

    def _change(self, state: BreakerState, epoch: int, reason: str = "") -> bool:
        with self._lock:
            if self._epoch != epoch:
                return False
            self._epoch += 1
            # The reason first: whoever reads "open" reads why.
            self._reason = reason or self._reason
            self._state = state
        for listener in self._listeners:
            listener(state)
        return True

    def _watch(self) -> None:
        while True:
            self._opened.wait()
            if self._stopped.wait(self._probe_interval):
                return
            epoch = self._epoch
            try:
                self._probe()
            except QueueUnavailable:
                continue
            except Exception:
                get_logger(__name__).exception("the breaker's probe failed unexpectedly")
                continue
            # Cleared before the change: a call that fails right after it sets the event again.
            self._opened.clear()
            self._change(BreakerState.CLOSED, epoch)
