"""What every request passes first: its id, the client's address, the rules for bodies, and the database's budget."""

import re
import time
from contextlib import AbstractContextManager
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from tripwire_shared.client_address import address_behind
from tripwire_shared.database import within
from tripwire_shared.logs import get_logger
from tripwire_shared.setting_rules import Network
from tripwire_shared.timings import API_REQUEST_BUDGET

# "64 KiB and more" is refused.
BODY_AT_MOST = 64 * 1024 - 1
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")


class TooLarge(RequestEntityTooLarge):
    description = "The body must be smaller than 64 KiB."


def register_request_rules(app: Flask) -> None:
    # One more than allowed: a body without a length (chunked) is cut there in silence, by which one sees it.
    app.config["MAX_CONTENT_LENGTH"] = BODY_AT_MOST + 1
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_end)


def client_address(trusted: tuple[Network, ...]) -> str:
    """The address of who asks."""
    return address_behind(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""), trusted)


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _SANE_ID.fullmatch(given) else uuid4().hex
    g.began_at = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(http_request_id=g.request_id)
    # All waits for the database together: a 503 has to leave within 2 s.
    budget: AbstractContextManager[None] = within(API_REQUEST_BUDGET)
    budget.__enter__()
    g.budget = budget
    _check_body()


def _check_body() -> None:
    """Only JSON is taken, and less than 64 KiB of it; the length is known before anything is read."""
    if request.method not in ("POST", "PUT", "PATCH") or not request.path.startswith("/api/"):
        return
    if (request.content_length or 0) > BODY_AT_MOST:
        raise TooLarge
    if (request.content_length or request.content_type) and not request.is_json:
        raise UnsupportedMediaType("The body must be JSON: Content-Type: application/json.")


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "")
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if "began_at" in g:
        took = time.perf_counter() - g.began_at
        get_logger(__name__).debug(
            "answered", method=request.method, route=_route(), status=response.status_code, ms=round(took * 1000, 1)
        )
    return response


def _route() -> str:
    """Not the path: an invitation's is a secret."""
    return "unknown" if request.url_rule is None else request.url_rule.rule


def _end(_: BaseException | None) -> None:
    budget = g.pop("budget", None)
    if budget is not None:
        budget.__exit__(None, None, None)
