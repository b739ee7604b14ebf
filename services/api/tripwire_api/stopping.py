"""Whether this process has been asked to stop: who would wait for long is answered now."""

from collections.abc import Callable


class Stopping:
    """Set once, by gunicorn's signal handler. Listeners are called in it."""

    def __init__(self) -> None:
        self._is_set = False
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        for listener in self._listeners:
            listener()


# A module's variable: gunicorn's signal handler has no other way to the application.
STOPPING = Stopping()
