"""What a request is to us: its id, when it came, the client's address, the rules for bodies, the database's budget."""

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from flask import Request, g
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, UnsupportedMediaType

from tripwire_shared.network.client_address import address_behind
from tripwire_shared.postgres.database import within
from tripwire_shared.setting_rules import Network
from tripwire_shared.timings import API_REQUEST_BUDGET

BODY_AT_MOST = 64 * 1024
# What each answer says where it does not say otherwise.
USUAL_HEADERS = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
JSON = "application/json"
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_UTF_8 = frozenset(("utf-8", "utf8", "us-ascii"))
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")


class TooLarge(RequestEntityTooLarge):
    description = "The body must not be larger than 64 KiB."


@dataclass(slots=True)
class ClientRequest:
    """`mode`: how a create went, for the meter; `accepted`: the request that it made, for its trace."""

    id: str
    began_at: float
    budget: AbstractContextManager[None]
    mode: str = "refused"
    accepted: UUID | None = None


def begin(asked: Request, new_id: str) -> None:
    """The first thing that happens; `new_id` where the client (or the proxy before us) gave none."""
    given = asked.environ.get("HTTP_X_REQUEST_ID")
    request_id = given if given and _SANE_ID.fullmatch(given) else new_id
    # All waits for the database together: a 503 has to leave within 2 s.
    budget: AbstractContextManager[None] = within(API_REQUEST_BUDGET)
    g.client_request = ClientRequest(request_id, time.perf_counter(), budget)
    budget.__enter__()
    structlog.contextvars.bind_contextvars(http_request_id=request_id)


def current_client_request() -> ClientRequest | None:
    """None where the request broke off before it began."""
    found: ClientRequest | None = g.get("client_request")
    return found


def end() -> None:
    """The last thing that happens."""
    if (ending := current_client_request()) is not None:
        ending.budget.__exit__(None, None, None)


def is_json(asked: Request) -> bool:
    """JSON is UTF-8 (RFC 8259), whatever its media type may say besides."""
    if asked.environ.get("CONTENT_TYPE") == JSON:
        return True
    return asked.is_json and asked.mimetype_params.get("charset", "utf-8").lower() in _UTF_8


def check_body(asked: Request) -> None:
    """Only JSON is taken, as it is, and at most 64 KiB of it. Where nothing is sent its type says nothing: clients such
    as curl name one all the same."""
    if asked.method not in _WITH_BODY or not asked.path.startswith("/api/"):
        return
    length = asked.content_length
    if length is not None and length > BODY_AT_MOST:
        raise TooLarge
    if asked.environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("The body must be sent as it is, without a Content-Encoding.")
    # Without a length it comes in pieces, or there is none.
    if not is_json(asked) and (length or (length is None and body_of(asked))):
        raise UnsupportedMediaType("The body must be JSON in UTF-8: Content-Type: application/json.")


def body_of(asked: Request) -> bytes:
    """The body, which the server has read already. Raises BadRequest or TooLarge."""
    try:
        content = asked.get_data()
    except HTTPException:
        raise
    except Exception:  # the server's own kinds, such as a broken chunk
        raise BadRequest("The body could not be read.") from None
    if len(content) > BODY_AT_MOST:
        raise TooLarge
    return content


def client_address(asked: Request, trusted: tuple[Network, ...]) -> Callable[[], str]:
    """What gives the address of who asks, when somebody wants to know: most requests write it nowhere."""
    return partial(address_behind, asked.remote_addr or "", asked.environ.get("HTTP_X_FORWARDED_FOR", ""), trusted)
