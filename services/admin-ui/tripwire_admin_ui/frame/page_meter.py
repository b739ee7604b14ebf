"""What Prometheus learns of the pages: how many, how long, and how the API answered them. gunicorn's processes are
summed up through PROMETHEUS_MULTIPROC_DIR."""

import time
from http import HTTPStatus

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram

from tripwire_shared.metrics.exposition import BuildInfo, exposition

BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class PageMeter:
    def __init__(self, version: str) -> None:
        self._build = BuildInfo("admin-ui", version)
        self.registry = CollectorRegistry()
        self._pages = Counter(
            "tripwire_pages", "Answers of the admin UI by page and status", ["page", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "tripwire_page_seconds", "Seconds that a page took, its calls of the API included", ["page"],
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._calls = Histogram(
            "tripwire_page_api_seconds", "Seconds that a call of the API took: answered, too_slow or unreachable",
            ["outcome"], buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip

    def install(self, app: Flask) -> None:
        """Counts each answer, and serves /metrics: open to everybody here, and not routed from outside."""

        @app.before_request
        def begin() -> None:
            g.began_at = time.perf_counter()

        @app.after_request
        def count(response: Response) -> Response:
            # Not the path, which holds what people look for. What a stranger tries has no page.
            page = request.endpoint or "none"
            self._pages.labels(page, response.status_code).inc()
            self._seconds.labels(page).observe(time.perf_counter() - g.began_at)
            return response

        @app.get("/metrics")
        def metrics() -> tuple[bytes, int, dict[str, str]]:
            return exposition(self.registry, self._build), HTTPStatus.OK, {"Content-Type": CONTENT_TYPE_LATEST}

    def count_call(self, outcome: str, seconds: float) -> None:
        self._calls.labels(outcome).observe(seconds)
