"""What every request passes first: its id, the client's address, the rules for bodies, and the database's budget."""

import ipaddress
import re
import time
from contextlib import AbstractContextManager
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

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
    """The client's address: X-Forwarded-For read from the right, for as long as trusted proxies speak (and what they
    say is an address)."""
    return _address_behind(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""), trusted)


@lru_cache(maxsize=256)  # the same few clients ask again and again
def _address_behind(peer: str, forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    address = _parsed(peer)
    hops = forwarded_for.split(",")
    while address and hops and any(address in network for network in trusted):
        if (said := _parsed(hops.pop().strip())) is None:
            break
        address = said
    return str(address or "unknown")


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    # How a server that listens on :: sees a client with an IPv4 address.
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


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
