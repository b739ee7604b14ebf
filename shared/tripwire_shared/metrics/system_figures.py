"""The system's figures for Prometheus, asked at the moment of a scrape: the same from each process, so any may answer.

What cannot be asked is NaN, never 0: a graph then has a gap, and an alert rule can tell "nothing waits" from "unknown".
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tripwire_shared.errors import DatabaseUnavailable, PoolExhausted, QueueUnavailable
from tripwire_shared.events.causes import CAUSES
from tripwire_shared.postgres.database import Connection, Database, within
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.queue.request_queue import QueueCounts
from tripwire_shared.timings import SCRAPE_LIMIT

QUANTILES = (0.5, 0.95, 0.99)
MODES = ("async", "sync", "fallback")
# Field of the query → what it is; each becomes the gauge tripwire_<field>.
ASKED = {
    "requests_waiting": "Accepted requests that are not finished",
    "oldest_request_seconds": "Age of the oldest request that is not finished; 0 where none waits",
    "mails_waiting": "Welcome mails that are not sent",
    "oldest_mail_seconds": "Age of the oldest mail that is not sent; 0 where none waits",
    "alerts_waiting": "Alerts that are not delivered",
    "oldest_alert_seconds": "Age of the oldest alert that is not delivered; 0 where none waits",
    "mode_version": "Version of the traffic mode",
    "mode_version_obeyed": "Lowest version of the traffic mode that a living API process obeys",
}
COUNTED = ("waiting", "active", "scheduled", "failed")


class Figures(Collector):
    """`count_queue` raises QueueUnavailable, and must not wait long for a queue that is away. `kept_for`: so many
    seconds others get the same answer, so that no number of callers asks more often than that."""

    def __init__(self, database: Database, count_queue: Callable[[], QueueCounts], *, kept_for: float = 0.0) -> None:
        self._database, self._count_queue, self._kept_for = database, count_queue, kept_for
        self._sql = load_queries(__file__)
        self._kept: list[Metric] = []
        self._good_until = -math.inf
        # Who comes while it is being asked waits for the same answer: SCRAPE_LIMIT and a Redis time-out at most.
        self._turn = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        with self._turn:
            if time.monotonic() >= self._good_until:
                self._kept = [*self._of_database(), *self._of_queue()]
                self._good_until = time.monotonic() + self._kept_for
            kept = self._kept
        yield from kept

    def _of_database(self) -> Iterator[Metric]:
        row, seconds = None, None
        up = 0.0
        try:
            with within(SCRAPE_LIMIT):
                row, seconds = self._database.read(self._ask)
                up = 1.0
        except PoolExhausted:
            up = math.nan  # it was not asked
        except DatabaseUnavailable:
            pass  # said below: everything is NaN, and tripwire_database_up is 0
        yield _gauge("database_up", "1 where PostgreSQL answered this scrape", up)
        for name, what in ASKED.items():
            yield _gauge(name, what, _number(row, name))
        yield _gauge("sync_direct", "1 while the kill switch is on sync_direct", _is_sync(row))
        incidents = GaugeMetricFamily("tripwire_incident_open", "1 while an incident is open", labels=["cause"])
        for name in CAUSES:
            incidents.add_metric([name], math.nan if row is None else float(name in row.open_causes))
        yield incidents
        took = GaugeMetricFamily(
            "tripwire_provisioned_seconds",
            "Accept to provisioned over the last five minutes; NaN where there was none",
            labels=["mode", "quantile"],
        )
        for mode in MODES:
            measured = (seconds or {}).get(mode, [math.nan] * len(QUANTILES))
            for quantile, value in zip(QUANTILES, measured, strict=True):
                took.add_metric([mode, f"{quantile:g}"], value)
        yield took

    def _ask(self, connection: Connection) -> tuple[Any, dict[str, list[float]]]:
        row = self._sql.figures(connection)
        took = self._sql.provisioned_seconds(connection, quantiles=list(QUANTILES))
        return row, {line.mode: line.seconds for line in took}

    def _of_queue(self) -> Iterator[Metric]:
        try:
            counts = self._count_queue()
        except QueueUnavailable:
            counts = None
        yield _gauge("redis_up", "1 where Redis answered this scrape", float(counts is not None))
        jobs = GaugeMetricFamily("tripwire_queue_jobs", "Jobs in the queue by state", labels=["state"])
        for state in COUNTED:
            jobs.add_metric([state], _number(counts, state))
        yield jobs
        yield _gauge("workers", "Worker processes registered at the queue", _number(counts, "workers"))


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"tripwire_{name}", what, value=value)


def _number(source: Any, name: str) -> float:
    value = getattr(source, name, None)
    return math.nan if value is None else float(value)


def _is_sync(row: Any) -> float:
    return math.nan if row is None else float(row.mode == "sync_direct")
