"""With a collector, all that happens to a request is one trace with the request's own id, over API, queue, worker and
mail; without one, or with one that is silent, nothing changes."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.sales_manager import Manager, new_email
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_shared.tracing import root_span_id

CREATE, ACCEPT, PROVISION, MAIL = (
    "POST /api/admin/tripwire/users", "accept: row and queue", "provision", "welcome mail"
)  # fmt: skip


class Collector:
    """Keeps the spans that it is sent, as (service, span); `silent`: it takes a request and answers nothing."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any]] = []
        self.silent = threading.Event()
        self.go_on = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if collector.silent.is_set():
                    collector.go_on.wait(30)
                collector.keep(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def keep(self, sent: ExportTraceServiceRequest) -> None:
        for resource in sent.resource_spans:
            about = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.spans += [(about["service.name"], span) for scope in resource.scope_spans for span in scope.spans]

    def of(self, request_id: str) -> dict[str, tuple[str, Any]]:
        """The spans of one trace by their names."""
        return {span.name: (service, span) for service, span in self.spans if span.trace_id == UUID(request_id).bytes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.go_on.set()
    collector.server.shutdown()


def test_from_the_call_to_the_mail(stack: Stack, collector: Collector) -> None:
    stack.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
    stack.start_api()
    stack.start_worker()
    manager = Manager(stack.api_url, stack.log_in())
    manager.wait_for_workers()
    email = new_email()
    request_id = manager.create(email).json()["request_id"]
    manager.wait_for(request_id, "provisioned", 20)
    names = {CREATE, ACCEPT, PROVISION, MAIL}
    wait_until(lambda: collector.of(request_id).keys() == names, 15, what=str(names))
    found = collector.of(request_id)
    services = {name: service for name, (service, _) in found.items()}
    assert services[CREATE] == services[ACCEPT] == "tripwire-api"
    assert services[PROVISION] == "tripwire-worker"
    root = root_span_id(UUID(request_id)).to_bytes(8, "big")
    assert {name: span.parent_span_id for name, (_, span) in found.items()} == {
        CREATE: b"", ACCEPT: root, PROVISION: root, MAIL: root
    }  # fmt: skip
    assert found[CREATE][1].span_id == root
    begun = [found[name][1].start_time_unix_nano for name in (CREATE, ACCEPT, PROVISION, MAIL)]
    assert begun == sorted(begun)
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for _, span in found.values())
    assert email.partition("@")[0] not in str(collector.spans), "no span names a person"


def test_a_replay_is_no_other_trace(stack: Stack, collector: Collector) -> None:
    stack.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
    stack.start_api()
    manager = Manager(stack.api_url, stack.log_in())
    manager.switch("sync_direct")
    email = new_email()
    first = manager.create(email, key="a-key")
    assert manager.create(email, key="a-key").headers["Idempotent-Replayed"] == "true"
    request_id = first.json()["request_id"]
    wait_until(lambda: {CREATE, PROVISION, MAIL} <= collector.of(request_id).keys(), 15)
    assert [span.name for _, span in collector.spans].count(CREATE) == 1


@pytest.mark.long
def test_a_silent_collector_holds_nobody_up(stack: Stack, collector: Collector) -> None:
    collector.silent.set()
    stack.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
    api = stack.start_api()
    stack.start_worker()
    manager = Manager(stack.api_url, stack.log_in())
    slowest = 0.0
    for _ in range(20):
        began = time.monotonic()
        request_id = manager.create().json()["request_id"]
        slowest = max(slowest, time.monotonic() - began)
    manager.wait_for(request_id, "provisioned", 20)
    assert slowest < 1.0
    began = time.monotonic()
    api.stop()
    assert time.monotonic() - began < 10
