"""What Prometheus learns of the worker service: attempts by door and outcome, how long they took, and the system's
figures. The processes of the worker and the sweep are summed up through PROMETHEUS_MULTIPROC_DIR."""

import socket
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram

from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.logs import get_logger
from tripwire_shared.metrics.exposition import BuildInfo, exposition
from tripwire_shared.metrics.system_figures import Figures
from tripwire_shared.postgres.database import Database
from tripwire_shared.provisioning.provision import Attempt
from tripwire_shared.queue.request_queue import RequestQueue
from tripwire_shared.settings import Settings
from tripwire_shared.timings import SCRAPE_TURN_WAIT

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


class _Server(ThreadingHTTPServer):
    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), handler)


class MetricsServer:
    """`GET /metrics` on an address of its own, for Prometheus alone."""

    def __init__(self, own: CollectorRegistry, database: Database, queue: RequestQueue, settings: Settings) -> None:
        self._own, self._build = own, BuildInfo("worker", settings.version)
        self._host, self._port = settings.worker_metrics_host, settings.worker_metrics_port
        # The queue is asked past the breaker, which only the API starts: it waits one time-out at most.
        self._figures = Figures(database, queue.counts)
        # Scrapes take turns: together they need one connection of the pool, however many come.
        self._turn = Lock()

    def start(self) -> None:
        """Nothing where no port is set. A taken one is said; the work goes on without."""
        if not self._port:
            return
        try:
            server = _Server(self._host, self._port, self._handler())
        except OSError as error:
            get_logger(__name__).error("no /metrics: the port cannot be used", port=self._port, error=error.strerror)
            return
        server.daemon_threads = True
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()

    def exposition(self) -> bytes | None:
        """None where others' scrapes take too long to be waited for."""
        if not self._turn.acquire(timeout=SCRAPE_TURN_WAIT):
            return None
        try:
            return exposition(self._own, self._build, self._figures)
        finally:
            self._turn.release()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        metrics = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5  # of a client that says nothing

            def do_GET(self) -> None:
                if self.path.partition("?")[0] != "/metrics":
                    self._answer(404, "text/plain", b"There is only /metrics here.\n")
                elif (figures := metrics.exposition()) is None:
                    self._answer(503, "text/plain", b"Other scrapes are under way.\n")
                else:
                    self._answer(200, CONTENT_TYPE_LATEST, figures)

            def _answer(self, status: int, content_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Scrapes are no news."""

        return Handler
