"""What every request passes: one hook before it, one after it, and its end. The rules stand in the modules imported
here; this one calls them in their order, and looks Flask's request up once for all of them."""

import itertools
import os
import time
from collections.abc import Mapping

from flask import Flask, Request, Response, request

from tripwire_api.http.access import Guard
from tripwire_api.http.body_rules import read_body
from tripwire_api.http.client_request import (
    BODY_AT_MOST,
    USUAL_HEADERS,
    begin,
    check_body,
    current_client_request,
    end,
)
from tripwire_api.http.meter import RequestMeter
from tripwire_api.http.ready_response import ReadyResponse
from tripwire_shared.logs import get_logger
from tripwire_shared.tracing import Attributes, Span, Tracer, now


class RequestHooks:
    """`guards`: that of each blueprint, by its name. `says_answers`: each answer is a line of the log (debug)."""

    def __init__(self, guards: Mapping[str, Guard], meter: RequestMeter, tracer: Tracer, *, says_answers: bool) -> None:
        self._guards, self._meter, self._tracer, self._says_answers = guards, meter, tracer, says_answers
        # Unique over all processes and hosts, and made without asking the system for each.
        process = os.urandom(8).hex()
        self._new_ids = (f"{process}{number:016x}" for number in itertools.count())

    def register(self, app: Flask) -> None:
        # One more than allowed: a body without a length (chunked) is cut there in silence, by which one sees it.
        app.config["MAX_CONTENT_LENGTH"] = BODY_AT_MOST + 1
        app.before_request(self._before)
        app.after_request(self._after)
        app.teardown_request(self._end)

    def _before(self) -> None:
        asked = _current()
        begin(asked, next(self._new_ids))
        check_body(asked)
        if (rule := asked.url_rule) is not None:
            # A blueprint without a guard serves nobody: the KeyError is answered as an unexpected error.
            self._guards[rule.endpoint.rpartition(".")[0]](asked)
            read_body(asked)

    def _after(self, response: Response) -> Response:
        asked, current = _current(), current_client_request()
        # Not the path: an invitation's is a secret.
        route = "unknown" if asked.url_rule is None else asked.url_rule.rule
        if not isinstance(response, ReadyResponse):
            for name, value in USUAL_HEADERS:
                response.headers.setdefault(name, value)
        if current is None:
            return response
        response.headers.add("X-Request-ID", current.id)
        took = time.perf_counter() - current.began_at
        self._meter.count(asked.method, route, response.status_code, took, current.mode)
        if current.accepted is not None:
            about: Attributes = {
                "http.response.status_code": response.status_code,
                "mode": current.mode,
                "http_request_id": current.id,
            }
            began = now() - round((time.perf_counter() - current.began_at) * 1e9)
            self._tracer.record(Span.CREATE, current.accepted, began, about)
        if self._says_answers:
            get_logger(__name__).debug(
                "answered", method=asked.method, route=route, status=response.status_code, ms=round(took * 1000, 1)
            )
        return response

    def _end(self, _: BaseException | None) -> None:
        end()


def _current() -> Request:
    """The request itself, not Flask's proxy, which looks it up at each use."""
    current: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Werkzeug's way
    return current
