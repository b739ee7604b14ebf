"""Traces for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set; elsewhere nothing of its library is imported.

All that happens to a request is one trace, whose id is the request's own: whoever knows the request finds its trace,
and no process has to hand anything on. So it spans the row, the queue, the job and the outbox, of which Redis holds ids
only. A span is recorded when what it tells of is over. No span names a person.
"""

import contextvars
import hashlib
import socket
import time
from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from tripwire_shared.settings import Settings
from tripwire_shared.timings import SPANS_SENT_EVERY, SPANS_SENT_WITHIN

Attributes = Mapping[str, str | int | float | bool]


class Span(Enum):
    """What is traced: its name, its kind in OpenTelemetry's words, and whether it is the one that began it all."""

    CREATE = ("POST /api/admin/tripwire/users", "SERVER", True)
    ACCEPT = ("accept: row and queue", "PRODUCER", False)
    PROVISION = ("provision", "CONSUMER", False)
    MAIL = ("welcome mail", "CLIENT", False)


def now() -> int:
    """When something begins or ends, for a span: nanoseconds since 1970."""
    return time.time_ns()


class Tracer(Protocol):
    def record(
        self, span: Span, request_id: UUID, began: int, attributes: Attributes, *, failure: str | None = None
    ) -> None:
        """What began at `began` (`now()`) is over. Never raises, never waits; what is too much is dropped."""

    def stop(self) -> None:
        """Sends what is left, for SPANS_SENT_WITHIN at most."""


class NoTracer:
    def record(
        self, span: Span, request_id: UUID, began: int, attributes: Attributes, *, failure: str | None = None
    ) -> None:
        return

    def stop(self) -> None:
        return


def build_tracer(settings: Settings, service: str) -> Tracer:
    """That of one process; call after fork, as it sends from a thread."""
    return (
        OtlpTracer(settings.otel_exporter_otlp_endpoint, service)
        if settings.otel_exporter_otlp_endpoint
        else NoTracer()
    )


class OtlpTracer:
    """Sends spans to an OpenTelemetry collector over HTTP, in batches. OpenTelemetry's other variables (headers,
    sampler) hold too."""

    def __init__(self, endpoint: str, service: str) -> None:
        # Not before it is needed: it costs each process 12 MiB and 0.2 s.
        import requests
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._api = trace
        session = requests.Session()
        session.trust_env = False  # the collector is a neighbour: no proxy stands between
        exporter = OTLPSpanExporter(
            endpoint=f"{endpoint.rstrip('/')}/v1/traces", session=session, timeout=SPANS_SENT_WITHIN
        )
        self._ids = _ids_of_roots()
        self._provider = TracerProvider(
            # Not Resource.create(), which asks detectors in real threads: under the API's greenlets they never end.
            resource=Resource({"service.name": service, "host.name": socket.gethostname()}),
            id_generator=self._ids,
            shutdown_on_exit=False,  # stop() does it, in its place
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SPANS_SENT_EVERY * 1000))
        self._tracer = self._provider.get_tracer("tripwire")

    def record(
        self, span: Span, request_id: UUID, began: int, attributes: Attributes, *, failure: str | None = None
    ) -> None:
        name, kind, is_root = span.value
        about = {"tripwire.request_id": str(request_id), **attributes}
        api = self._api
        if is_root:
            self._ids.root.set((request_id.int, root_span_id(request_id)))
            context = None
        else:
            root = api.SpanContext(
                request_id.int,
                root_span_id(request_id),
                is_remote=True,
                trace_flags=api.TraceFlags(api.TraceFlags.SAMPLED),
            )
            context = api.set_span_in_context(api.NonRecordingSpan(root))
        recorded = self._tracer.start_span(name, context, kind=api.SpanKind[kind], attributes=about, start_time=began)
        self._ids.root.set(None)
        if failure is not None:
            recorded.set_status(api.Status(api.StatusCode.ERROR, failure))
        recorded.end(now())

    def stop(self) -> None:
        self._provider.shutdown()


def root_span_id(request_id: UUID) -> int:
    """The same in each process, and never 0."""
    return int.from_bytes(hashlib.sha256(request_id.bytes).digest()[:8], "big") or 1


def _ids_of_roots() -> Any:
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class IdsOfRoots(RandomIdGenerator):
        """The library asks for the ids of a span without a parent; they are those that were set just before, in the
        same thread or greenlet."""

        def __init__(self) -> None:
            self.root: contextvars.ContextVar[tuple[int, int] | None] = contextvars.ContextVar("root", default=None)

        def generate_trace_id(self) -> int:
            root = self.root.get()
            return super().generate_trace_id() if root is None else root[0]

        def generate_span_id(self) -> int:
            root = self.root.get()
            return super().generate_span_id() if root is None else root[1]

    return IdsOfRoots()
