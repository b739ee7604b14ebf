"""What Prometheus learns of the worker service: attempts by door and outcome, how long they took, and the system's
figures. The processes of the pool and the sweep are summed up through PROMETHEUS_MULTIPROC_DIR."""

import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram

from tripwire_shared.health.exposition import exposition
from tripwire_shared.health.figures import Figures
from tripwire_shared.logs import get_logger
from tripwire_shared.provisioning.provision import Attempt, Door
from tripwire_shared.resources import Resources

BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class AttemptMeter:
    """One in each process that makes attempts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._attempts = Counter(
            "tripwire_attempts", "Attempts by the door they came through and their outcome", ["door", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "tripwire_attempt_seconds", "Seconds an attempt took", ["door"],
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip

    def count(self, door: Door, attempts: Iterable[Attempt], began_at: float) -> None:
        """Those of one set, begun at `began_at` by time.perf_counter(): each took as long as the set."""
        took = time.perf_counter() - began_at
        for attempt in attempts:
            self._attempts.labels(door.name.lower(), attempt.outcome.name.lower()).inc()
            self._seconds.labels(door.name.lower()).observe(took)


class MetricsServer:
    """`GET /metrics` on an address of its own, for Prometheus alone."""

    def __init__(self, resources: Resources, own: CollectorRegistry) -> None:
        self._own = own
        # The queue is asked past the breaker, which only the API starts: it waits one time-out at most.
        self._figures = Figures(resources.database, resources.request_queue.counts)
        self._host, self._port = resources.settings.worker_metrics_host, resources.settings.worker_metrics_port

    def start(self) -> None:
        """Nothing where no port is set. A taken one is said; the work goes on without."""
        if not self._port:
            return
        try:
            server = ThreadingHTTPServer((self._host, self._port), self._handler())
        except OSError as error:
            get_logger(__name__).error("no /metrics: the port cannot be used", port=self._port, error=error.strerror)
            return
        server.daemon_threads = True
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()

    def exposition(self) -> bytes:
        return exposition(self._own, self._figures)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        metrics = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5  # of a client that says nothing

            def do_GET(self) -> None:
                found = self.path.partition("?")[0] == "/metrics"
                body = metrics.exposition() if found else b"There is only /metrics here.\n"
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", CONTENT_TYPE_LATEST if found else "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Scrapes are no news."""

        return Handler
