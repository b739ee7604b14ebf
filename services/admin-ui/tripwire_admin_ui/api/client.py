"""The only part of the admin UI that speaks to the API. What may be asked stands in `calls.py`."""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import requests
from flask import g

from tripwire_admin_ui.api.failures import ApiFailure, ApiTooSlow, ApiUnreachable, failure_of
from tripwire_shared import timings
from tripwire_shared.answers.answer import Answer, UnreadableAnswer, load

A = TypeVar("A", bound=Answer)
LARGEST_ANSWER = 4 * 1024 * 1024


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

    def get(self, kind: type[A], path: str, budget: Budget, token: str, query: Mapping[str, str] | None = None) -> A:
        return self._read(kind, self._answer("GET", path, budget, token, query=query))

    def send(
        self, kind: type[A], method: str, path: str, body: Mapping[str, Any], token: str = "", *,
        key: str = "", budget: Budget | None = None,
    ) -> A:  # fmt: skip
        """`key` is its Idempotency-Key."""
        return self._read(kind, self._answer(method, path, budget or Budget(), token, body=body, key=key))

    def tell(self, method: str, path: str, token: str) -> None:
        """Without a body, and without an answer to read."""
        self._answer(method, path, Budget(), token)

    def _read(self, kind: type[A], content: bytes) -> A:
        try:
            return load(kind, content)
        except UnreadableAnswer as error:
            raise ApiFailure(f"The answer of the API could not be read (field “{error}”).") from error

    def _answer(
        self,
        method: str,
        path: str,
        budget: Budget,
        token: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> bytes:
        # The browser's address: the API counts failed sign-ins by it, and believes it from its TRUSTED_PROXIES.
        headers = {"Accept": "application/json", "X-Request-ID": g.request_id, "X-Forwarded-For": g.client_address}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["Idempotency-Key"] = key
        status, answer_headers, content = self._exchange(method, path, headers, query, body, budget)
        if status >= HTTPStatus.BAD_REQUEST:
            raise failure_of(status, answer_headers, content, answers_token=bool(token))
        return content

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
