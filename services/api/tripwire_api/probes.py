"""Probes for machines: alive, ready, and Prometheus' figures. No token; /metrics is not routed from outside."""

import os
import time

from flask import Blueprint, Flask, Response, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from tripwire_api.problems import problem
from tripwire_shared.errors import DatabaseUnavailable, QueueUnavailable
from tripwire_shared.queue.breaker import BreakerState
from tripwire_shared.resources import Resources

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class RequestMeter:
    """What Prometheus learns of each answer. Its registry is the process' own; gunicorn's processes are summed up
    through PROMETHEUS_MULTIPROC_DIR."""

    def __init__(self, resources: Resources) -> None:
        self.registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        self._answers = Counter("tripwire_http_answers", "Answers by route and status", labels, registry=self.registry)
        self._seconds = Histogram(
            "tripwire_http_seconds", "Seconds an answer took", ["route"], buckets=BUCKETS, registry=self.registry
        )
        breaker = Gauge(
            "tripwire_breaker_open", "1 while the breaker is open", registry=self.registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self._breaker_open, self._breaker = breaker, resources.breaker

    def observe(self, response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "unknown"
        self._answers.labels(request.method, route, response.status_code).inc()
        if "began_at" in g:
            self._seconds.labels(route).observe(time.perf_counter() - g.began_at)
        self._breaker_open.set(self._breaker.state is BreakerState.OPEN)
        return response

    def exposition(self) -> bytes:
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        summed = CollectorRegistry()
        MultiProcessCollector(summed)  # type: ignore[no-untyped-call]
        return generate_latest(summed)


def register_meter(app: Flask, meter: RequestMeter) -> None:
    app.after_request(meter.observe)


def blueprint(resources: Resources, meter: RequestMeter) -> Blueprint:
    routes = Blueprint("probes", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        """Alive: this process answers."""
        return jsonify({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> Response:
        """Ready: the database answers. Redis is told, not needed."""
        try:
            resources.database.read(lambda connection: connection.cursor().execute("SELECT 1"))
        except DatabaseUnavailable as error:
            return problem(503, "Not ready", str(error), database="down")
        try:
            resources.breaker.call(resources.request_queue.ping)
            redis = "up"
        except QueueUnavailable:
            redis = "down"
        return jsonify({"status": "ready", "database": "up", "redis": redis})

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(meter.exposition(), content_type=CONTENT_TYPE_LATEST)

    return routes
