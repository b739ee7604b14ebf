"""A customer as staff see one, from the moment of provisioning on. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tripwire_shared.errors import Conflict, TripwireError
from tripwire_shared.staff.staff import StaffName


class CustomerStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    COMPLETED = "completed"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Sale:
    id: UUID
    amount: int
    currency: str
    created_at: datetime


@dataclass(frozen=True)
class Customer:
    """`welcome_email`: how the newest welcome mail stands. Of an erased customer, e-mail and name say nothing."""

    user_id: UUID
    email: str
    full_name: str
    status: CustomerStatus
    manager: StaffName
    sale: Sale
    created_at: datetime
    request_id: UUID
    welcome_email: str | None
    erased: bool


@dataclass(frozen=True)
class CustomerFilter:
    """What a list shows. `only_staff`: a manager's own; `q`: part of an e-mail or name; `since` to before `until`."""

    only_staff: UUID | None = None
    manager_id: UUID | None = None
    status: CustomerStatus | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None


class CustomerErased(Conflict):
    """This customer's personal data were erased: nothing can be sent or changed any more."""


class LinkTooSoon(TripwireError):
    """A new link for this customer was asked for less than a minute ago, and it still works."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"{(type(self).__doc__ or '').splitlines()[0]} Another can be asked for in {wait_seconds} s.")
        self.wait_seconds = wait_seconds


ERASED_NAME = "Erased"


def erased_email(user_id: UUID) -> str:
    """Stands where the address stood: unique, and of a domain that never exists (RFC 2606)."""
    return f"erased-{user_id}@erased.invalid"
