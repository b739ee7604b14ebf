"""What the server itself refuses, before the application has the request: no HTTP, headers too long, too slow."""

from dataclasses import dataclass

from gunicorn.http.errors import (
    ConfigurationProblem,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)

from tripwire_shared.errors import TripwireError
from tripwire_shared.serving.places import NoPlace


class RequestTooSlow(TripwireError):
    """The request did not arrive in time."""


@dataclass(frozen=True)
class Refusal:
    """`detail` quotes nothing of the request, whose path and headers may hold a name or a secret."""

    status: int
    title: str
    detail: str


_UNEXPECTED = Refusal(500, "Unexpected error", "Something went wrong here.")
# The first class that fits.
_REFUSALS: tuple[tuple[type[Exception], Refusal], ...] = (
    (RequestTooSlow, Refusal(408, "Request Timeout", RequestTooSlow.__doc__ or "")),
    (NoPlace, Refusal(503, "Too many requests", NoPlace.__doc__ or "")),
    # gunicorn counts these among what it cannot parse, but they are our fault.
    (ConfigurationProblem, _UNEXPECTED),
    (InvalidResponseHeader, _UNEXPECTED),
    (InvalidResponseHeaderName, _UNEXPECTED),
    (LimitRequestLine, Refusal(414, "URI Too Long", "The address is too long.")),
    (
        LimitRequestHeaders,
        Refusal(431, "Request Header Fields Too Large", "A header is too long, or there are too many."),
    ),
    (ParseException, Refusal(400, "Bad Request", "The request is not well-formed HTTP.")),
)


def refusal_of(error: Exception) -> Refusal:
    return next((refusal for kind, refusal in _REFUSALS if isinstance(error, kind)), _UNEXPECTED)
