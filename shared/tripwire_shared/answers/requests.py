"""Requests (contract, sections 3 and 4)."""

from typing import Any
from uuid import UUID

import msgspec

from tripwire_shared.answers.answer import Answer, Moment
from tripwire_shared.answers.staff import StaffName
from tripwire_shared.answers.vocabulary import MailStatus, RequestMode, RequestStatus


class Step(Answer, frozen=True, kw_only=True):
    """What happened to a request. `detail` are its facts: `attempt`, `of` and `door` of an attempt, these and `cause`
    and `text` (what the server said) where it failed, `cause` of a duplicate, `checks` that were passed, `by` whom it
    was retried, `try` and `text` of a mail that failed. Only `text` is a sentence, for people alone."""

    step: str
    at: Moment
    detail: dict[str, Any] | None


class RequestItem(Answer, frozen=True, kw_only=True):
    """A request as staff see one. `due_at`: when the next attempt begins, None where it is finished. `took_seconds`:
    from being accepted to being finished, the pauses and an admin's retry included. `steps` for a single one only."""

    request_id: UUID
    email: str
    full_name: str
    status: RequestStatus
    mode: RequestMode
    attempts: int
    max_attempts: int
    error: str | None
    user_id: UUID | None
    manager: StaffName
    price: int
    currency: str
    accepted_at: Moment
    finished_at: Moment | None
    took_seconds: float | None
    due_at: Moment | None
    welcome_email: MailStatus
    steps: tuple[Step, ...] | msgspec.UnsetType = msgspec.UNSET

    @property
    def finished(self) -> bool:
        return self.status is not RequestStatus.ACCEPTED


class RequestPage(Answer, frozen=True, kw_only=True):
    """`counts`: how many match in each status, whatever status is asked for; `total`: of that status."""

    requests: tuple[RequestItem, ...]
    total: int
    counts: dict[RequestStatus, int]
    next_cursor: str | None
    previous_cursor: str | None


class Retried(Answer, frozen=True, kw_only=True):
    """A retry of all that match. `refused`: those whose e-mail somebody has; `remaining`: those that another call can
    retry."""

    retried: int
    refused: int
    remaining: int
