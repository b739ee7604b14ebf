"""Staff and their tokens, as the API tells of them (contract, section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tripwire_admin_ui.api.answer_fields import Document, listed, moment, needed, text, whole
from tripwire_admin_ui.api.client import ApiClient, Budget

STAFF = "/api/admin/staff"


@dataclass(frozen=True)
class Manager:
    """Whose customer, request or deed it is."""

    id: str
    email: str
    full_name: str


@dataclass(frozen=True)
class StaffMember:
    """`tokens` is the number of live API tokens; None: the API did not say."""

    id: str
    email: str
    full_name: str
    role: str
    active: bool
    tokens: int | None
    last_seen_at: datetime | None
    created_at: datetime | None


@dataclass(frozen=True)
class Token:
    """`token` is the secret itself: only there in the answer that made it."""

    id: str
    name: str
    created_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    created_by: str | None
    token: str = ""


def read_manager(value: Any) -> Manager | None:
    """The `manager` or `staff` of an item; None where there is none."""
    if not isinstance(value, Mapping):
        return None
    return Manager(str(value.get("id")), text(value, "email") or "", text(value, "full_name") or "")


def read_member(row: Document) -> StaffMember:
    return StaffMember(
        id=str(row.get("id")),
        email=needed(text, row, "email"),
        full_name=text(row, "full_name") or "",
        role=needed(text, row, "role"),
        active=row.get("active") is True,
        tokens=whole(row, "tokens"),
        last_seen_at=moment(row, "last_seen_at"),
        created_at=moment(row, "created_at"),
    )


def read_token(row: Document) -> Token:
    made_by = row.get("created_by")
    return Token(
        id=str(row.get("id")),
        name=text(row, "name") or "",
        created_at=moment(row, "created_at"),
        expires_at=moment(row, "expires_at"),
        last_used_at=moment(row, "last_used_at"),
        created_by=text(made_by, "email") if isinstance(made_by, Mapping) else text(row, "created_by"),
        token=text(row, "token") or "",
    )


class StaffApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def everybody(self, token: str, budget: Budget) -> tuple[StaffMember, ...]:
        return self._api.call("GET", STAFF, lambda answer: listed(read_member, answer, "staff"), budget, token)

    def add(self, token: str, fields: Mapping[str, str]) -> StaffMember:
        """Raises FieldsRefused, or Conflict where the e-mail is taken."""
        return self._api.call("POST", STAFF, read_member, Budget(), token, body=fields)

    def change(self, token: str, staff_id: str, fields: Mapping[str, Any]) -> StaffMember:
        """Raises Conflict where nobody could administer any more."""
        return self._api.call("PATCH", f"{STAFF}/{staff_id}", read_member, Budget(), token, body=fields)

    def tokens(self, token: str, budget: Budget, staff_id: str) -> tuple[Token, ...]:
        path = f"{STAFF}/{staff_id}/tokens"
        return self._api.call("GET", path, lambda answer: listed(read_token, answer, "tokens"), budget, token)

    def make_token(self, token: str, staff_id: str, name: str, days: int | None) -> Token:
        body: dict[str, Any] = {"name": name} | ({} if days is None else {"expires_in_days": days})
        return self._api.call("POST", f"{STAFF}/{staff_id}/tokens", read_token, Budget(), token, body=body)

    def revoke_token(self, token: str, staff_id: str, token_id: str) -> None:
        self._api.call("DELETE", f"{STAFF}/{staff_id}/tokens/{token_id}", lambda _: None, Budget(), token)
