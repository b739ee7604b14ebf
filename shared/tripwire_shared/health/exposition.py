"""What one scrape of a service's /metrics gets: its own counts, summed over its processes, and the system's figures."""

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


def exposition(own: CollectorRegistry, figures: Collector) -> bytes:
    """Prometheus' text. `own` is of this process alone where PROMETHEUS_MULTIPROC_DIR is not set; `figures` are asked
    now."""
    registry = own
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        _AllProcesses(registry)  # type: ignore[no-untyped-call]
    asked = CollectorRegistry()
    asked.register(figures)
    return generate_latest(registry) + generate_latest(asked)


class _AllProcesses(MultiProcessCollector):
    """A process that has just begun, or was killed then, has a file without any content: it has counted nothing. The
    library's own way fails over it."""

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("*.db") if _has_content(file)]
        merged: Iterable[Metric] = self.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
        return merged


def _has_content(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:  # its process ended just now
        return False
