"""A process' sign of life to its parent: that it died is seen by anybody, that it hangs only by its silence."""

from multiprocessing import get_context


class Pulse:
    """Made by the parent, passed to the child at its start; a number in shared memory that only the child raises."""

    def __init__(self) -> None:
        # Without a lock: a child killed while it held one would leave it taken for ever.
        self._beats = get_context("fork").Value("Q", 0, lock=False)

    def beat(self) -> None:
        self._beats.value += 1

    @property
    def beats(self) -> int:
        return int(self._beats.value)
