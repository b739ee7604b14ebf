"""What an accept costs, part by part: the real application called in this process, with timers around its parts.

The timers are put around functions from here; production code knows nothing of them. A part's figure is its own time,
without the parts inside it; what no timer holds is Flask's (routing, contexts, the response on its way out).
"""

import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import wraps
from io import BytesIO
from typing import Any
from uuid import uuid4

from flask import Flask

from tests.bench.calls import BODY
from tests.sales_manager import CREATE
from tripwire_api.app import GUARDS, create_app
from tripwire_api.http import request_hooks
from tripwire_api.parts import ApiParts, build_api
from tripwire_api.routes import customers
from tripwire_shared.logs import configure_logging
from tripwire_shared.settings import load_settings

CALLS, WARM_UP = 1_500, 200
REST = "Flask: routing, contexts, sending"


class Parts:
    """Own time per part and call. `wrap` gives a function that is timed as (a piece of) a part."""

    def __init__(self) -> None:
        self.calls: list[dict[str, float]] = []
        self._inside: list[float] = []

    def begin(self) -> None:
        self.calls.append({})

    def wrap(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            self._inside.append(0.0)
            began = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                took = time.perf_counter() - began
                own = took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took
                self.calls[-1][part] = self.calls[-1].get(part, 0.0) + own

        return timed

    def microseconds(self) -> dict[str, float]:
        """The 10th percentile of each part, in the order in which they end: what it takes where nothing disturbs it."""
        names = list(self.calls[-1])
        return {
            name: 1e6 * statistics.quantiles((call.get(name, 0.0) for call in self.calls), n=10)[0] for name in names
        }


def measure(environ: dict[str, str]) -> dict[str, float]:
    """Microseconds of each part of one accept in mode async_queue; `environ` names database, Redis and secret key.

    In a process of its own: the application sets up logging, metrics and time limits for the whole process.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (environ,))


def _measure(environ: dict[str, str], calls: int = CALLS) -> dict[str, float]:
    settings = load_settings(environ=environ, dotenv=None)
    configure_logging("api", settings.log_level, settings.log_format)
    with tempfile.TemporaryDirectory() as figures:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures  # as under gunicorn, where figures are kept in files
        built = build_api(settings)
        admin = built.staff.list()[0]
        token = built.tokens.make(admin.id, "bench").token
        app, parts = create_app(built), Parts()
        _put_timers(app, built, parts)
        call = parts.wrap(REST, app.wsgi_app)
        try:
            for number in range(WARM_UP + calls):
                if number == WARM_UP:
                    parts.calls.clear()
                parts.begin()
                _accept(call, token)
            return parts.microseconds()
        finally:
            built.stop()


def _put_timers(app: Flask, built: ApiParts, parts: Parts) -> None:
    for functions in app.before_request_funcs.values():
        functions[:] = [parts.wrap("request begins: id, budget, body rules", function) for function in functions]
    for functions in app.after_request_funcs.values():
        functions[:] = [parts.wrap("answer's headers, meter", function) for function in functions]
    guards = app.extensions[GUARDS]
    guards.update({name: parts.wrap("token and role", guard) for name, guard in guards.items()})
    request_hooks.read_body = parts.wrap("body: JSON and its texts", request_hooks.read_body)
    _time_methods(parts, "fields checked", customers.CustomerRoutes.ARGUMENTS_PARSER, ["parse"])
    customers.answer = parts.wrap("response: body and status", customers.answer)
    _time_methods(parts, "INSERT, one round trip", built.core.requests, ["accept"])
    _time_methods(parts, "enqueue, one pipeline", built.request_queue, ["push"])
    _time_methods(parts, "intake: mode, ids, breaker", built.intake, ["accept"])


def _time_methods(parts: Parts, part: str, owner: object, names: Iterable[str]) -> None:
    for name in names:
        setattr(owner, name, parts.wrap(part, getattr(owner, name)))


def _accept(app: Callable[..., Any], token: str) -> None:
    body = BODY % f"{uuid4().hex}@example.com".encode()
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": CREATE, "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "bench",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http", "wsgi.input": BytesIO(body), "wsgi.errors": None, "wsgi.multithread": True,
        "wsgi.multiprocess": True, "wsgi.run_once": False, "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)), "HTTP_AUTHORIZATION": f"Bearer {token}",
    }  # fmt: skip
    said: list[str] = []
    answer = app(environ, lambda status, headers, error=None: said.append(status))
    for _ in answer:
        pass
    answer.close()
    if said != ["202 ACCEPTED"]:
        raise AssertionError(f"not accepted: {said} (201 says that Redis did not answer in time)")
