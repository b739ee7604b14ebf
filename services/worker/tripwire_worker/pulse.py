"""A process' sign of life to its parent: that it died is seen by anybody, that it hangs only by its silence."""

import mmap


class Pulse:
    """Made by the parent, passed to the child at its start; a number in shared memory that only the child raises."""

    def __init__(self) -> None:
        # Anonymous memory, which needs no /dev/shm: in a container that may be missing, read-only or full. Without a
        # lock: a child killed while it held one would leave it taken for ever.
        self._beats = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")

    def beat(self) -> None:
        self._beats[0] += 1

    @property
    def beats(self) -> int:
        return self._beats[0]
