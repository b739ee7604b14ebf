"""Probes for machines: alive, ready, and Prometheus' figures. No token; /metrics is not routed from outside."""

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from tripwire_api.meter import RequestMeter
from tripwire_api.problems import problem
from tripwire_shared.database import Database
from tripwire_shared.errors import DatabaseUnavailable, QueueUnavailable
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.queue.request_queue import RequestQueue


def blueprint(database: Database, breaker: Breaker, queue: RequestQueue, meter: RequestMeter) -> Blueprint:
    routes = Blueprint("probes", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        """Alive: this process answers."""
        return jsonify({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> Response:
        """Ready: the database answers. Redis is told, not needed."""
        try:
            database.read(lambda connection: connection.cursor().execute("SELECT 1"))
        except DatabaseUnavailable as error:
            return problem(503, "Not ready", str(error), database="down")
        try:
            breaker.call(queue.ping)
            redis = "up"
        except QueueUnavailable:
            redis = "down"
        return jsonify({"status": "ready", "database": "up", "redis": redis})

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(meter.exposition(), content_type=CONTENT_TYPE_LATEST)

    return routes
