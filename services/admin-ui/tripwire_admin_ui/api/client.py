"""The only part of the admin UI that speaks to the API: one method a call, typed answers, typed failures."""

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import requests
from flask import g

from tripwire_admin_ui.api import answer_fields
from tripwire_admin_ui.api.answer_fields import UnreadableAnswer
from tripwire_shared import timings

T = TypeVar("T")
LARGEST_ANSWER = 4 * 1024 * 1024


class ApiFailure(Exception):
    """The API did not do what was asked; the message is a sentence for people."""


class ApiUnreachable(ApiFailure):
    """No answer of the API. `may_have_arrived`: it may nevertheless have done what was asked."""

    words, outcome = "The API cannot be reached.", "unreachable"

    def __init__(self, *, may_have_arrived: bool) -> None:
        super().__init__(self.words)
        self.may_have_arrived = may_have_arrived


class ApiTooSlow(ApiUnreachable):
    """The API was reached, or may have been, and did not answer within the page's time."""

    words, outcome = "The API did not answer in time.", "too_slow"


class DatabaseAway(ApiFailure):
    """The API says that it cannot reach its database."""


class NotSignedIn(ApiFailure):
    """The API does not accept the token, or the e-mail and password."""


class NotAllowed(ApiFailure):
    """The person's role may not do this."""


class NotThere(ApiFailure):
    """There is no such thing, or the person may not see it."""


class Conflict(ApiFailure):
    """What is there already does not allow this; the message is the API's reason."""


class EmailTaken(Conflict):
    """Whose the e-mail is, as far as the person may know: a request under way, or a customer or auth user."""

    def __init__(self, message: str, problem: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.request_id = answer_fields.text(problem, "request_id")
        self.user_id = answer_fields.text(problem, "user_id")


class KeyInUse(Conflict):
    """The same form, sent before, is being answered right now."""


class TooManyTries(ApiFailure):
    """The sign-in throttle; `wait_seconds` is None where the API did not say."""

    def __init__(self, wait_seconds: int | None) -> None:
        super().__init__("Too many tries.")
        self.wait_seconds = wait_seconds


class TooSoon(ApiFailure):
    """The same was asked for a moment ago, or too much at once; the message is the API's reason."""

    def __init__(self, message: str, wait_seconds: int | None) -> None:
        super().__init__(message or "That was asked for a moment ago.")
        self.wait_seconds = wait_seconds


class FieldsRefused(ApiFailure):
    """The API refuses what was entered; the message says which field and why, `errors` the same for each field."""

    def __init__(self, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or {}


class KeyReused(FieldsRefused):
    """The same form was sent before with other entries, and may have arrived."""


# Problems that share their status with others are known by their title.
TITLED: Mapping[str, Callable[[str, Mapping[str, Any]], ApiFailure]] = {
    "Database unavailable": lambda _, __: DatabaseAway("The API cannot reach its database."),
    "E-mail address taken": EmailTaken,
    "Idempotency-Key in use": lambda detail, _: KeyInUse(detail),
    "Idempotency-Key reused": lambda detail, _: KeyReused(detail),
}
# Statuses that mean the same wherever they come.
PLAIN: Mapping[int, type[ApiFailure]] = {
    HTTPStatus.UNAUTHORIZED: NotSignedIn,
    HTTPStatus.FORBIDDEN: NotAllowed,
    HTTPStatus.CONFLICT: Conflict,
}


OF_A_PROXY: Mapping[int, type[ApiUnreachable]] = {
    HTTPStatus.BAD_GATEWAY: ApiUnreachable,
    HTTPStatus.SERVICE_UNAVAILABLE: ApiUnreachable,
    HTTPStatus.GATEWAY_TIMEOUT: ApiTooSlow,
}


class Budget:
    """The time that all calls for one page may take together, in seconds."""

    def __init__(self, seconds: float = timings.UI_PAGE_BUDGET) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        return self._end - time.monotonic()


def page_budget() -> Budget:
    """Of the request under way, who asks included: it begins with the first call."""
    if "page_budget" not in g:
        g.page_budget = Budget()
    budget: Budget = g.page_budget
    return budget


class ApiClient:
    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        # Called after each call: what became of it, and the seconds that it took.
        self.on_answer: Callable[[str, float], None] = lambda _, __: None

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
        """One call; `key` is its Idempotency-Key. What may be asked: `request_calls`, `customer_calls`, …"""
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
        if (silent := g.get("silent_api")) is not None:
            raise type(silent)(may_have_arrived=False)
        if budget.left() <= 0:
            raise ApiTooSlow(may_have_arrived=False)
        outcome, began = "answered", time.perf_counter()
        try:
            return self._exchange_now(method, path, headers, query, body, budget)
        except ApiUnreachable as error:
            outcome = error.outcome
            raise
        finally:
            self.on_answer(outcome, time.perf_counter() - began)

    def _exchange_now(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        budget: Budget,
    ) -> tuple[int, Mapping[str, str], bytes]:
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
            # requests has no type of its own for "never connected", nor for a body that stops half-way.
            if isinstance(error, requests.ReadTimeout) or "Read timed out" in str(error):
                raise ApiTooSlow(may_have_arrived=True) from error
            raise ApiUnreachable(may_have_arrived="NewConnectionError" not in repr(error)) from error


def _content(response: requests.Response, budget: Budget) -> bytes:
    """The body, within the budget as a whole: the time-out of `requests` holds for each piece only."""
    pieces = bytearray()
    for piece in response.iter_content(64 * 1024):
        pieces += piece
        if budget.left() <= 0:
            raise ApiTooSlow(may_have_arrived=True)
        if len(pieces) > LARGEST_ANSWER:
            raise ApiFailure("The API answered more than a page can show.")
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
    title = answer_fields.text(problem or {}, "title") or ""
    detail = answer_fields.text(problem or {}, "detail") or title
    if title in TITLED:
        return TITLED[title](detail, problem or {})
    if status in PLAIN:
        return PLAIN[status](detail)
    match status:
        case HTTPStatus.NOT_FOUND if problem is not None:
            return NotThere(detail)
        case HTTPStatus.UNPROCESSABLE_ENTITY | HTTPStatus.BAD_REQUEST:
            return _fields_refused(problem or {}, detail)
        case HTTPStatus.TOO_MANY_REQUESTS:
            given = headers.get("Retry-After", "")
            wait = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else None
            return TooSoon(detail, wait) if answers_token else TooManyTries(wait)
        case HTTPStatus.SERVICE_UNAVAILABLE if problem is not None:
            return ApiFailure(detail)  # it is busy, or another server than the database is away
    if status in OF_A_PROXY:
        return OF_A_PROXY[status](may_have_arrived=True)
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
