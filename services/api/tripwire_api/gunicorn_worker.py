"""The server's worker, whose own refusals (no HTTP, headers too long, too slow) are problem documents as well."""

import contextlib
import json
from typing import Any
from uuid import uuid4

from gunicorn.http.errors import (
    ConfigurationProblem,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)

from tripwire_api.problems import RETRY_AFTER
from tripwire_shared.serving.worker import REFUSALS, CooperativeWorker

# gunicorn counts these among what it cannot parse, but they are our fault.
OURS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
# The first class that fits.
ANSWERS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int, str, str], ...] = (
    *((kind, status, title, kind.__doc__ or "") for kind, (status, title) in REFUSALS.items()),
    (OURS, 500, "Unexpected error", "Something went wrong here."),
    (LimitRequestLine, 414, "URI Too Long", "The address is too long."),
    (LimitRequestHeaders, 431, "Request Header Fields Too Large", "A header is too long, or there are too many."),
    (ParseException, 400, "Bad Request", "The request is not well-formed HTTP."),
    (Exception, 500, "Unexpected error", "Something went wrong here."),
)


class ApiWorker(CooperativeWorker):
    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answers what never reaches the application. Logs neither headers nor path: both may hold a secret."""
        status, title, detail = next(
            (status, title, detail) for kind, status, title, detail in ANSWERS if isinstance(exc, kind)
        )
        request_id = uuid4().hex
        if status == 500:
            self.log.error("unexpected error before the application, request id %s", request_id, exc_info=exc)
        body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": "/"})
        head = (
            f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-ID: {request_id}\r\n{_more(status)}\r\n"
        )
        with contextlib.suppress(OSError):  # who sent it may be gone
            client.sendall((head + body).encode())


def _more(status: int) -> str:
    return f"Retry-After: {RETRY_AFTER[status]}\r\n" if status in RETRY_AFTER else ""
