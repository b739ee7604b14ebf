"""A customer as staff see one, from the moment of provisioning on. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tripwire_shared.answers.vocabulary import CustomerStatus
from tripwire_shared.errors import Conflict, TripwireError


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
