"""Who did what (contract, section 4)."""

from typing import Any
from uuid import UUID

from tripwire_shared.answers.answer import Answer, Moment
from tripwire_shared.answers.staff import StaffName


class ActivityEntry(Answer, frozen=True, kw_only=True):
    """`staff` is None where nobody signed in did it; `address`: where they did it from."""

    id: int
    at: Moment
    staff: StaffName | None
    action: str
    user_id: UUID | None
    request_id: UUID | None
    detail: dict[str, Any]
    address: str | None


class ActivityPage(Answer, frozen=True, kw_only=True):
    """`actions`: all that there can be; `next_before` leads to older entries, None where there are none."""

    activity: tuple[ActivityEntry, ...]
    actions: tuple[str, ...]
    next_before: int | None


class Noted(Answer, frozen=True, kw_only=True):
    success: bool
