"""The one table from what went wrong to what HTTP says: application/problem+json (RFC 9457), and nothing else ever."""

from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from tripwire_api.http.access import Forbidden, NotSignedIn, TooManyRequests, current_staff_or_none
from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.customers.customer import LinkTooSoon
from tripwire_shared.email_address import readable_email
from tripwire_shared.errors import (
    Conflict,
    DatabaseUnavailable,
    IdentityProviderUnavailable,
    InvalidFields,
    NotFound,
    PoolExhausted,
    QueueUnavailable,
    TripwireError,
)
from tripwire_shared.few_at_once import TooManyAtOnce
from tripwire_shared.logs import get_logger
from tripwire_shared.mode.mode import ModeVersionConflict
from tripwire_shared.requests.request import EmailTaken, KeyInUse, KeyReused
from tripwire_shared.serving.places import NoPlace
from tripwire_shared.staff.staff import LoginThrottled, WrongCredentials
from tripwire_shared.staff.tokens import TooManyUnknownTokens

# Most special first: the first class that fits gives status and title.
STATUSES: list[tuple[type[TripwireError], int, str]] = [
    (NotSignedIn, 401, "Not signed in"),
    (WrongCredentials, 401, "Not signed in"),
    (Forbidden, 403, "Not allowed"),
    (NotFound, 404, "Not found"),
    (EmailTaken, 409, "E-mail address taken"),
    (ModeVersionConflict, 409, "Somebody was faster"),
    (KeyInUse, 409, "Idempotency-Key in use"),
    (Conflict, 409, "Conflict"),
    (KeyReused, 422, "Idempotency-Key reused"),
    (InvalidFields, 422, "Invalid fields"),
    (LoginThrottled, 429, "Too many tries"),
    (TooManyRequests, 429, "Too many requests"),
    (TooManyUnknownTokens, 429, "Too many unknown tokens"),
    (TooManyAtOnce, 429, "Too many at once"),
    (LinkTooSoon, 429, "Too soon"),
    (NoPlace, 503, "Too many requests"),
    (PoolExhausted, 503, "Too many requests"),
    (DatabaseUnavailable, 503, "Database unavailable"),
    (IdentityProviderUnavailable, 503, "Identity provider unavailable"),
    (QueueUnavailable, 503, "Queue unavailable"),
]
RETRY_AFTER = {429: "1", 503: "2"}
LOGIN_RETRY_AFTER = "60"


def register_problems(app: Flask) -> None:
    app.register_error_handler(TripwireError, _domain_problem)
    app.register_error_handler(HTTPException, http_problem)
    app.register_error_handler(Exception, _unexpected_problem)


def problem(status: int, title: str, detail: str, **more: Any) -> Response:
    """A problem document; `more` are extension members such as `errors`."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": request.path}
    response = jsonify({**body, **more})
    response.status_code = status
    response.mimetype = "application/problem+json"
    if status in RETRY_AFTER:
        response.headers["Retry-After"] = RETRY_AFTER[status]
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def http_problem(error: HTTPException) -> Response:
    """What werkzeug and flask-smorest raise: unknown paths, methods, bodies that are too large or malformed, fields."""
    status = error.code or 500
    messages = getattr(error, "data", {}).get("messages") if isinstance(getattr(error, "data", None), dict) else None
    if status == 422 and isinstance(messages, dict):
        return problem(422, "Invalid fields", "Some fields are wrong.", errors=_flat(messages))
    response = problem(status, error.name, _plain(error.description or error.name))
    if isinstance(getattr(error, "valid_methods", None), list | set | tuple):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return response


def _domain_problem(error: TripwireError) -> Response:
    status, title = next(
        ((status, title) for kind, status, title in STATUSES if isinstance(error, kind)), (500, "Unexpected error")
    )
    if status == 500:
        return _unexpected_problem(error)
    response = problem(status, title, str(error), **_extensions(error))
    if isinstance(error, LoginThrottled):
        response.headers["Retry-After"] = LOGIN_RETRY_AFTER
    if isinstance(error, LinkTooSoon):
        response.headers["Retry-After"] = str(error.wait_seconds)
    return response


def _extensions(error: TripwireError) -> dict[str, Any]:
    if isinstance(error, InvalidFields):
        return {"errors": error.errors}
    if isinstance(error, EmailTaken):
        return _who_has_it(error)
    if isinstance(error, ModeVersionConflict):
        current = error.current
        about = {
            "mode": current.mode,
            "version": current.version,
            "changed_by": readable_email(current.changed_by or "") or None,
        }
        return {**about, "changed_at": current.changed_at.isoformat(), "reason": current.reason}
    return {}


def _who_has_it(error: EmailTaken) -> dict[str, str]:
    """The ids only for who may see them: an admin, or the manager whose request it is."""
    staff = current_staff_or_none()
    if staff is None or (staff.role is not Role.ADMIN and staff.id != error.staff_id):
        return {}
    ids = {"request_id": error.request_id, "user_id": error.user_id}
    return {name: str(value) for name, value in ids.items() if value is not None}


def _unexpected_problem(error: Exception) -> Response:
    get_logger(__name__).error("unexpected error", exc_info=error)
    return problem(
        500, "Unexpected error", "Something went wrong here. It was logged under this answer's X-Request-ID."
    )


def _flat(messages: dict[str, Any]) -> dict[str, list[str]]:
    """marshmallow's messages without the location that webargs puts around them: {field: [message]}."""
    flat: dict[str, list[str]] = {}
    for location, inside in messages.items():
        if location in ("json", "query", "headers") and isinstance(inside, dict):
            flat.update(_flat(inside))
        elif isinstance(inside, dict):
            flat[str(location)] = [text for texts in _flat(inside).values() for text in texts]
        else:
            flat[str(location)] = [str(text) for text in inside]
    return flat


def _plain(text: str) -> str:
    return " ".join(text.split())
