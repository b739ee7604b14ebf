"""Probes for machines: alive, ready, and Prometheus' figures. No token; /metrics is not routed from outside."""

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from tripwire_api.http.meter import RequestMeter
from tripwire_api.http.problems import problem
from tripwire_shared.errors import DatabaseTakesNoWrites, DatabaseUnavailable, PoolExhausted, QueueUnavailable
from tripwire_shared.postgres.write_probe import WriteProbe
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.queue.request_queue import RequestQueue


def blueprint(probe: WriteProbe, breaker: Breaker, queue: RequestQueue, meter: RequestMeter) -> Blueprint:
    routes = Blueprint("probes", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        """Alive: this process answers."""
        return jsonify({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> Response:
        """Ready: the database answers and takes writes. Redis is told, not needed."""
        database = "up"
        try:
            probe.try_write()
        except PoolExhausted:
            database = "busy"  # this process answers as many as it can, which is no reason to send it fewer
        except DatabaseTakesNoWrites as error:
            return problem(503, "Not ready", str(error), database=error.state)
        except DatabaseUnavailable as error:
            return problem(503, "Not ready", str(error), database="down")
        try:
            breaker.call(queue.ping)
            redis = "up"
        except QueueUnavailable:
            redis = "down"
        return jsonify({"status": "ready", "database": database, "redis": redis})

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(meter.exposition(), content_type=CONTENT_TYPE_LATEST)

    return routes
