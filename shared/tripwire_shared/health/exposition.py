"""What one scrape of a service's /metrics gets: its own counts, summed over its processes, and the system's figures."""

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from tripwire_shared.metrics_folder import VARIABLE, FolderBusy, hold_folder


def exposition(own: CollectorRegistry, figures: Collector) -> bytes:
    """Prometheus' text. `own` is of this process alone where PROMETHEUS_MULTIPROC_DIR is not set; `figures` are asked
    now."""
    registry = own
    if VARIABLE in os.environ:
        registry = CollectorRegistry()
        _AllProcesses(registry)  # type: ignore[no-untyped-call]
    asked = CollectorRegistry()
    asked.register(figures)
    return generate_latest(registry) + generate_latest(asked)


class _AllProcesses(MultiProcessCollector):
    """A process that has just begun, or was killed then, has a file without any content: it has counted nothing. The
    library's own way fails over it, and over files that are merged meanwhile."""

    def collect(self) -> Iterable[Metric]:
        folder = Path(os.environ[VARIABLE])
        try:
            with hold_folder(folder, exclusively=False):
                files = [str(file) for file in folder.glob("*.db") if _has_content(file)]
                merged: Iterable[Metric] = self.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
                return merged
        except FolderBusy:
            return []  # unknown, as a figure that is missing says; never a wrong one


def _has_content(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:  # its process ended just now
        return False
