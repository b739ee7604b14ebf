"""A request's body, read before the application has the request: who sends it slowly keeps nobody inside waiting."""

from io import BytesIO
from typing import Any

# Headers of which the application has to know whether they came once.
ONCE = ("IDEMPOTENCY-KEY",)
# No header can hold it by itself.
BETWEEN_REPEATED = "\n"
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


def keep_apart(request: Any) -> None:
    """Joins the values of a header of ONCE that comes more than once by BETWEEN_REPEATED. WSGI would do it with a
    comma, which may be part of one."""
    for name in ONCE:
        values = [value for found, value in request.headers if found == name]
        if len(values) > 1:
            others = [(found, value) for found, value in request.headers if found != name]
            request.headers = [*others, (name, BETWEEN_REPEATED.join(values))]


def _length(request: Any) -> int:
    """What the request says; 0 where it says nothing. The parser has refused what is no number."""
    return next((int(value) for name, value in request.headers if name == "CONTENT-LENGTH"), 0)
