"""Who did what, as the API tells of it (contract, section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tripwire_admin_ui.api.answer_fields import Document, listed, moment, needed, text
from tripwire_admin_ui.api.client import ApiClient, Budget
from tripwire_admin_ui.api.staff_calls import Manager, read_manager

ACTIVITY = "/api/admin/tripwire/activity"


@dataclass(frozen=True)
class Deed:
    id: str
    at: datetime | None
    staff: Manager | None
    action: str
    user_id: str | None
    request_id: str | None
    detail: Mapping[str, Any]
    address: str | None


@dataclass(frozen=True)
class ActivityPage:
    deeds: tuple[Deed, ...]
    actions: tuple[str, ...]
    next_before: str | None


def read_deed(row: Document) -> Deed:
    detail = row.get("detail")
    return Deed(
        id=str(row.get("id")),
        at=moment(row, "at"),
        staff=read_manager(row.get("staff")),
        action=needed(text, row, "action"),
        user_id=text(row, "user_id"),
        request_id=text(row, "request_id"),
        detail=detail if isinstance(detail, Mapping) else {},
        address=text(row, "address"),
    )


def _read_page(answer: Document) -> ActivityPage:
    actions, before = answer.get("actions"), answer.get("next_before")
    return ActivityPage(
        deeds=listed(read_deed, answer, "activity"),
        actions=tuple(word for word in actions if isinstance(word, str)) if isinstance(actions, list) else (),
        next_before=None if before is None else str(before),
    )


class ActivityApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def page(self, token: str, budget: Budget, query: Mapping[str, str]) -> ActivityPage:
        return self._api.call("GET", ACTIVITY, _read_page, budget, token, query=query)

    def note_queue_change(self, token: str, what: str, detail: Mapping[str, str]) -> None:
        """Writes down what somebody is about to do to the queue itself, past our own code."""
        body = {"what": what, "detail": detail}
        self._api.call("POST", f"{ACTIVITY}/queue", lambda _: None, Budget(), token, body=body)
