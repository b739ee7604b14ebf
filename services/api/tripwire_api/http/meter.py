"""What Prometheus learns of each answer. gunicorn's processes are summed up through PROMETHEUS_MULTIPROC_DIR.

Counting costs a request some microseconds: no lock is waited for, nothing is asked. What has to be asked (ages, open
incidents, the queue) is asked when Prometheus comes, and at most once a second in each process: whoever reaches this
port may ask as often as they like.
"""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tripwire_shared.answers.vocabulary import BreakerState
from tripwire_shared.metrics.exposition import BuildInfo, exposition
from tripwire_shared.metrics.system_figures import Figures
from tripwire_shared.postgres.database import Database
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.queue.request_queue import RequestQueue
from tripwire_shared.timings import SCRAPE_KEPT

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
# Anybody may send any word as a method: others share a label.
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
CREATE = "/api/admin/tripwire/users"


@dataclass(frozen=True, slots=True)
class _Counters:
    """Those of one method, route and status; looking them up in Prometheus' client costs more than counting."""

    answers: Counter
    seconds: Histogram


class RequestMeter:
    def __init__(self, database: Database, breaker: Breaker, queue: RequestQueue, build: BuildInfo) -> None:
        self._build = build
        self.registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        self._answers = Counter("tripwire_http_answers", "Answers by route and status", labels, registry=self.registry)
        self._seconds = Histogram(
            "tripwire_http_seconds", "Seconds an answer took", ["route"], buckets=BUCKETS, registry=self.registry
        )
        self._creates = Counter(
            "tripwire_creates",
            "Answers to creates: mode async, sync or fallback for what was taken, else refused",
            ["status", "mode"],
            registry=self.registry,
        )
        breaker_open = Gauge(
            "tripwire_breaker_open", "API processes whose breaker is open", registry=self.registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        breaker.listen(lambda state: breaker_open.set(state is BreakerState.OPEN))
        self._known: dict[tuple[str, str, int], _Counters] = {}
        self._figures = Figures(database, lambda: breaker.call(queue.counts), kept_for=SCRAPE_KEPT)

    def count(self, method: str, route: str, status: int, seconds: float, mode: str) -> None:
        """An answer that took `seconds`; `mode`: of a create."""
        # Two threads at once may both make the entry: it holds the same counters.
        counters = self._known.get((method, route, status)) or self._counters(method, route, status)
        counters.answers.inc()
        counters.seconds.observe(seconds)
        if route == CREATE and method == "POST":
            self._creates.labels(status, mode).inc()

    def _counters(self, method: str, route: str, status: int) -> _Counters:
        known = method if method in METHODS else "other"
        counters = _Counters(self._answers.labels(known, route, status), self._seconds.labels(route))
        if known == method:
            self._known[method, route, status] = counters
        return counters

    def exposition(self) -> bytes:
        return exposition(self.registry, self._build, self._figures)
