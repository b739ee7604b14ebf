"""Requests, as the API tells of them (contract, sections 3 and 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tripwire_admin_ui.api.answer_fields import Document, listed, moment, needed, seconds, text, whole
from tripwire_admin_ui.api.client import ApiClient, Budget
from tripwire_admin_ui.api.staff_calls import Manager, read_manager

REQUESTS = "/api/admin/tripwire/requests"
STATES = ("accepted", "provisioned", "duplicate", "failed")


@dataclass(frozen=True)
class Step:
    step: str
    at: datetime | None
    detail: str | None


@dataclass(frozen=True)
class RequestItem:
    """`due_at` is when the next attempt begins; None when the request is finished, or where the API did not say."""

    request_id: str
    email: str
    full_name: str
    status: str
    mode: str
    attempts: int | None
    max_attempts: int | None
    error: str | None
    user_id: str | None
    accepted_at: datetime | None
    finished_at: datetime | None
    due_at: datetime | None
    took_seconds: float | None
    welcome_email: str | None
    manager: Manager | None
    price: int | None
    currency: str | None
    steps: tuple[Step, ...]

    @property
    def under_way(self) -> bool:
        return self.status == "accepted"


@dataclass(frozen=True)
class RequestPage:
    """`counts` are those of each state under the same filter, without the state; `total` with it."""

    requests: tuple[RequestItem, ...]
    total: int | None
    next_cursor: str | None
    previous_cursor: str | None
    counts: Mapping[str, int | None]


@dataclass(frozen=True)
class RetryAnswer:
    """One call of "retry all": taken up, refused (the e-mail is taken meanwhile), and how many still match."""

    retried: int
    refused: int
    remaining: int


def read_request(row: Document) -> RequestItem:
    return RequestItem(
        request_id=needed(text, row, "request_id"),
        email=text(row, "email") or "",
        full_name=text(row, "full_name") or "",
        status=needed(text, row, "status"),
        mode=text(row, "mode") or "",
        attempts=whole(row, "attempts"),
        max_attempts=whole(row, "max_attempts"),
        error=text(row, "error"),
        user_id=text(row, "user_id"),
        accepted_at=moment(row, "accepted_at"),
        finished_at=moment(row, "finished_at"),
        due_at=moment(row, "due_at"),
        took_seconds=seconds(row, "took_seconds"),
        welcome_email=text(row, "welcome_email"),
        manager=read_manager(row.get("manager")),
        price=whole(row, "price"),
        currency=text(row, "currency"),
        steps=listed(_step, row, "steps") if "steps" in row else (),
    )


def _step(row: Document) -> Step:
    return Step(needed(text, row, "step"), moment(row, "at"), text(row, "detail"))


def read_counts(answer: Document) -> Mapping[str, int | None]:
    counts = answer.get("counts")
    return {name: whole(counts, name) for name in counts} if isinstance(counts, Mapping) else {}


def _read_page(answer: Document) -> RequestPage:
    return RequestPage(
        requests=listed(read_request, answer, "requests"),
        total=whole(answer, "total"),
        next_cursor=text(answer, "next_cursor"),
        previous_cursor=text(answer, "previous_cursor"),
        counts=read_counts(answer),
    )


def _read_retry(answer: Document) -> RetryAnswer:
    return RetryAnswer(*(needed(whole, answer, name) for name in ("retried", "refused", "remaining")))


class RequestsApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def page(self, token: str, budget: Budget, query: Mapping[str, str]) -> RequestPage:
        return self._api.call("GET", REQUESTS, _read_page, budget, token, query=query)

    def one(self, token: str, budget: Budget, request_id: str) -> RequestItem:
        """Raises NotThere, also for what the person may not see."""
        return self._api.call("GET", f"{REQUESTS}/{request_id}", read_request, budget, token)

    def retry(self, token: str, request_id: str) -> RequestItem:
        """Raises Conflict where it is not failed any more, or its e-mail has been taken meanwhile."""
        return self._api.call("POST", f"{REQUESTS}/{request_id}/retry", read_request, Budget(), token, body={})

    def retry_all(self, token: str, wanted: Mapping[str, str]) -> RetryAnswer:
        """Takes up at most a hundred of the failed ones that match."""
        return self._api.call("POST", f"{REQUESTS}/retry", _read_retry, Budget(), token, body=wanted)
