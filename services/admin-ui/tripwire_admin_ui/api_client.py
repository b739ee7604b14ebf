"""The only part of the admin UI that speaks to the API: one method a call, typed answers, typed failures."""

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import requests
from flask import g

from tripwire_admin_ui import api_answers
from tripwire_admin_ui.api_answers import UnreadableAnswer
from tripwire_admin_ui.session_cookie import SignedIn
from tripwire_shared import timings

T = TypeVar("T")
LARGEST_ANSWER = 4 * 1024 * 1024


class ApiFailure(Exception):
    """The API did not do what was asked; the message is a sentence for people."""


class ApiUnreachable(ApiFailure):
    """No answer of the API. `may_have_arrived`: it may nevertheless have done what was asked."""

    def __init__(self, *, may_have_arrived: bool) -> None:
        super().__init__("The API cannot be reached.")
        self.may_have_arrived = may_have_arrived


class DatabaseAway(ApiFailure):
    """The API answers 503: it cannot reach its database."""


class NotSignedIn(ApiFailure):
    """The API does not accept the token, or the e-mail and password."""


class NotAllowed(ApiFailure):
    """The person's role may not do this."""


class NotThere(ApiFailure):
    """There is no such thing, or the person may not see it."""


class Conflict(ApiFailure):
    """What is there already does not allow this; the message is the API's reason."""


class TooManyTries(ApiFailure):
    """The sign-in throttle; `wait_seconds` is None where the API did not say."""

    def __init__(self, wait_seconds: int | None) -> None:
        super().__init__("Too many tries.")
        self.wait_seconds = wait_seconds


class FieldsRefused(ApiFailure):
    """The API refuses what was entered; the message says which field and why, `errors` the same for each field."""

    def __init__(self, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or {}


# Statuses that mean the same wherever they come.
PLAIN: Mapping[int, type[ApiFailure]] = {
    HTTPStatus.UNAUTHORIZED: NotSignedIn,
    HTTPStatus.FORBIDDEN: NotAllowed,
    HTTPStatus.CONFLICT: Conflict,
}


class Budget:
    """The time that all calls for one page may take together."""

    def __init__(self) -> None:
        self._end = time.monotonic() + timings.UI_PAGE_BUDGET

    def left(self) -> float:
        return self._end - time.monotonic()


class ApiClient:
    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def sign_in(self, email: str, password: str) -> SignedIn:
        """Raises NotSignedIn, TooManyTries and the common failures."""
        body = {"email": email, "password": password}

        def read(document: Mapping[str, Any]) -> SignedIn:
            staff = document.get("staff")
            if not isinstance(staff, Mapping):
                raise UnreadableAnswer("staff")
            token, *fields = (
                api_answers.needed(api_answers.text, source, name)
                for source, name in ((document, "token"), (staff, "email"), (staff, "full_name"), (staff, "role"))
            )
            return SignedIn(token, *fields)

        return self.call("POST", "/api/auth/login", read, Budget(), body=body)

    def sign_out(self, token: str) -> None:
        self.call("POST", "/api/auth/logout", lambda _: None, Budget(), token)

    def call(
        self,
        method: str,
        path: str,
        read: Callable[[Mapping[str, Any]], T],
        budget: Budget,
        token: str = "",
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> T:
        """One call; `key` is its Idempotency-Key. What may be asked of each noun: api_system, api_requests, …"""
        # The browser's address: the API counts failed sign-ins by it, and believes it from its TRUSTED_PROXIES.
        headers = {"Accept": "application/json", "X-Request-ID": g.request_id, "X-Forwarded-For": g.client_address}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["Idempotency-Key"] = key
        status, answer_headers, content = self._exchange(method, path, headers, query, body, budget)
        document = _document(content)
        if status >= HTTPStatus.BAD_REQUEST:
            raise _failure(status, answer_headers, document, answers_token=bool(token))
        try:
            return read(document or {})
        except UnreadableAnswer as error:
            raise ApiFailure(f"The answer of the API could not be read (field “{error}”).") from error

    def _exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        budget: Budget,
    ) -> tuple[int, Mapping[str, str], bytes]:
        if budget.left() <= 0:
            raise ApiUnreachable(may_have_arrived=False)
        try:
            # A session for each call: none is shared between threads, and no call is lost on a connection that the
            # API has just closed. It reads no proxy and no netrc from the environment: that file replaces our token.
            with requests.Session() as session:
                session.trust_env = False
                with session.request(
                    method,
                    self._url + path,
                    headers=dict(headers),
                    params=query,
                    json=body,
                    timeout=(min(timings.UI_CONNECT_TIMEOUT, budget.left()), budget.left()),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return response.status_code, response.headers, _content(response, budget)
        except requests.ConnectTimeout as error:
            raise ApiUnreachable(may_have_arrived=False) from error
        except requests.RequestException as error:
            refused = "NewConnectionError" in repr(error)  # requests has no type of its own for "never connected"
            raise ApiUnreachable(may_have_arrived=not refused) from error


def _content(response: requests.Response, budget: Budget) -> bytes:
    """The body, within the budget as a whole: the time-out of `requests` holds for each piece only."""
    pieces = bytearray()
    for piece in response.iter_content(64 * 1024):
        pieces += piece
        if budget.left() <= 0 or len(pieces) > LARGEST_ANSWER:
            raise ApiUnreachable(may_have_arrived=True)
    return bytes(pieces)


def _document(content: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, Mapping) else None


def _failure(
    status: int, headers: Mapping[str, str], problem: Mapping[str, Any] | None, *, answers_token: bool
) -> ApiFailure:
    """The one table from the API's statuses to failures."""
    detail = api_answers.text(problem or {}, "detail") or api_answers.text(problem or {}, "title") or ""
    if status in PLAIN:
        return PLAIN[status](detail)
    match status:
        case HTTPStatus.NOT_FOUND if problem is not None:
            return NotThere(detail)
        case HTTPStatus.UNPROCESSABLE_ENTITY | HTTPStatus.BAD_REQUEST:
            return _fields_refused(problem or {}, detail)
        case HTTPStatus.TOO_MANY_REQUESTS if not answers_token:
            wait = headers.get("Retry-After", "")
            return TooManyTries(int(wait) if wait.isdecimal() else None)
        case HTTPStatus.SERVICE_UNAVAILABLE if problem is not None and problem.get("title") == "Too many requests":
            return ApiFailure(detail)
        case HTTPStatus.SERVICE_UNAVAILABLE if problem is not None:
            return DatabaseAway("The API cannot reach its database.")
        case HTTPStatus.BAD_GATEWAY | HTTPStatus.SERVICE_UNAVAILABLE | HTTPStatus.GATEWAY_TIMEOUT:
            return ApiUnreachable(may_have_arrived=True)  # a proxy before the API says so
    return ApiFailure(f"The API answered {status}" + (f": {detail}" if detail else "."))


def _fields_refused(problem: Mapping[str, Any], detail: str) -> FieldsRefused:
    errors = _field_errors(problem)
    words = "; ".join(f"{field}: {why}" for field, why in errors.items())
    return FieldsRefused(words or detail or "The API refused what was entered.", errors)


def _field_errors(problem: Mapping[str, Any]) -> Mapping[str, str]:
    errors = problem.get("errors")
    if not isinstance(errors, Mapping):
        return {}
    return {
        str(field): " ".join(str(message) for message in messages) if isinstance(messages, list) else str(messages)
        for field, messages in errors.items()
    }
