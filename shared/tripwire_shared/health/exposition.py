"""What one scrape of a service's /metrics gets: its own counts, summed over its processes, and the system's figures."""

import os

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


def exposition(own: CollectorRegistry, figures: Collector) -> bytes:
    """Prometheus' text. `own` is of this process alone where PROMETHEUS_MULTIPROC_DIR is not set; `figures` are asked
    now."""
    registry = own
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    asked = CollectorRegistry()
    asked.register(figures)
    return generate_latest(registry) + generate_latest(asked)
