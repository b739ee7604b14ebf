"""What one scrape of a service's /metrics gets: its own counts, summed over its processes, and what is asked now."""

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from tripwire_shared.metrics.metrics_folder import VARIABLE, FolderBusy, hold_folder


class BuildInfo(Collector):
    """`tripwire_build_info` is 1, its labels tell what runs."""

    def __init__(self, service: str, version: str) -> None:
        self._labels = [service, version]

    def collect(self) -> Iterable[Metric]:
        info = GaugeMetricFamily("tripwire_build_info", "1; what runs", labels=["service", "version"])
        info.add_metric(self._labels, 1.0)
        yield info


def exposition(own: CollectorRegistry, *asked_now: Collector) -> bytes:
    """Prometheus' text. `own` is of this process alone where PROMETHEUS_MULTIPROC_DIR is not set."""
    registry = own
    if VARIABLE in os.environ:
        registry = CollectorRegistry()
        _AllProcesses(registry)  # type: ignore[no-untyped-call]
    asked = CollectorRegistry()
    for collector in asked_now:
        asked.register(collector)
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
