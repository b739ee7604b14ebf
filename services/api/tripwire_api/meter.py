"""What Prometheus learns of each answer. gunicorn's processes are summed up through PROMETHEUS_MULTIPROC_DIR.

Counting costs a request some microseconds: no lock is waited for, nothing is asked. What has to be asked (ages, open
incidents, the queue) is asked when Prometheus comes.
"""

import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tripwire_shared.database import Database
from tripwire_shared.health.exposition import exposition
from tripwire_shared.health.figures import Figures
from tripwire_shared.queue.breaker import Breaker, BreakerState
from tripwire_shared.queue.request_queue import RequestQueue

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
# Anybody may send any word as a method: others share a label.
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
CREATE = "/api/admin/tripwire/users"


class RequestMeter:
    def __init__(self, database: Database, breaker: Breaker, queue: RequestQueue) -> None:
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
        self._figures = Figures(database, lambda: breaker.call(queue.counts))

    def observe(self, response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "unknown"
        method = request.method if request.method in METHODS else "other"
        self._answers.labels(method, route, response.status_code).inc()
        if "began_at" in g:
            self._seconds.labels(route).observe(time.perf_counter() - g.began_at)
        if method == "POST" and route == CREATE:
            self._creates.labels(response.status_code, g.get("request_mode", "refused")).inc()
        return response

    def exposition(self) -> bytes:
        return exposition(self.registry, self._figures)


def register_meter(app: Flask, meter: RequestMeter) -> None:
    app.after_request(meter.observe)
