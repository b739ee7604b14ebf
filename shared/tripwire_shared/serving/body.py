"""A request's body, read before the application has the request: who sends it slowly keeps nobody inside waiting."""

from io import BytesIO
from typing import Any

# So much is read: 64 KiB, and one more byte by which the application sees that this was too much.
BODY_AT_MOST = 64 * 1024


def read_body(request: Any, client: Any) -> None:
    """Reads the body of gunicorn's `request` into memory. One that is too large stays where it is: the application
    refuses it by its length, and the connection ends."""
    expects_go_ahead, request._expected_100_continue = request._expected_100_continue, False  # noqa: SLF001
    if _length(request) > BODY_AT_MOST:
        request.force_close()
        request.body = BytesIO()
        return
    if expects_go_ahead:
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = request.body.read(BODY_AT_MOST + 1)
    if len(body) > BODY_AT_MOST:  # it came in pieces, without a length
        request.force_close()
    request.body = BytesIO(body)


def _length(request: Any) -> int:
    """What the request says; 0 where it says nothing. The parser has refused what is no number."""
    return next((int(value) for name, value in request.headers if name == "CONTENT-LENGTH"), 0)
