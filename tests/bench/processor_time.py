"""What the processes have used of the processors, and what of it a piece of work has cost."""

import os
import time
from contextlib import suppress
from dataclasses import astuple, dataclass

import psutil


def tree_seconds(leader: int) -> float:
    """User and system time of a process and all its descendants so far, those that have ended and were waited for
    included: their time is counted with their parent's."""
    root = psutil.Process(leader)
    return sum(_own_seconds(one) for one in (root, *root.children(recursive=True)))


def _own_seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):  # it ended since it was listed
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


@dataclass(frozen=True)
class ProcessorTime:
    """Seconds, or another unit after a multiplication. `services`: API and worker service."""

    services: float
    postgres: float
    valkey: float

    @property
    def total(self) -> float:
        return self.services + self.postgres + self.valkey

    def __sub__(self, other: "ProcessorTime") -> "ProcessorTime":
        return ProcessorTime(*(mine - its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    def __mul__(self, factor: float) -> "ProcessorTime":
        return ProcessorTime(*(part * factor for part in astuple(self)))


class Others:
    """What all processes but this one and its descendants use, from now on."""

    def __init__(self) -> None:
        self._began, self._busy, self._own = time.monotonic(), _busy_seconds(), tree_seconds(os.getpid())

    def percent(self) -> float:
        """Of all processors of the machine."""
        busy, own = _busy_seconds() - self._busy, tree_seconds(os.getpid()) - self._own
        return share_of_others(busy, own, time.monotonic() - self._began, os.cpu_count() or 1)


def share_of_others(busy: float, own: float, seconds: float, processors: int) -> float:
    """In percent; never below 0, though the kernel counts in hundredths of a second."""
    return max(0.0, 100 * (busy - own) / (seconds * processors))


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)
