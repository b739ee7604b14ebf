"""A request and the states it passes through. Pure: no database, no clock.

accepted → provisioned | duplicate | failed; failed → accepted by an admin's retry. Only the statements of
`request_store.sql`, `claims.sql` and `provisioning/customer_store.sql` write them.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tripwire_shared.answers.vocabulary import RequestMode, RequestStatus
from tripwire_shared.errors import Conflict, TripwireError


@dataclass(frozen=True)
class NewCustomer:
    """What a sales manager asks for, checked and normalised. `price` in the unit shown to people."""

    email: str
    full_name: str
    password: str | None
    price: int
    currency: str


@dataclass(frozen=True)
class Claim:
    """A request taken for one attempt: only `owner` may commit it, and only while the lease lasts.

    `attempts` counts this one; `passing_failures`: how often in a row it failed for a passing reason. A password is
    there sealed, or, after an earlier attempt, hashed.
    """

    request_id: UUID
    owner: str
    attempts: int
    passing_failures: int
    email: str
    full_name: str
    sealed_password: str | None
    password_hash: str | None
    staff_id: UUID


@dataclass(frozen=True)
class Request:
    """A request as it stands."""

    id: UUID
    email: str
    full_name: str
    status: RequestStatus
    mode: RequestMode
    attempts: int
    error: str | None
    user_id: UUID | None
    staff_id: UUID
    accepted_at: datetime
    finished_at: datetime | None
    welcome_email: str | None

    @property
    def finished(self) -> bool:
        return self.status is not RequestStatus.ACCEPTED


@dataclass(frozen=True)
class RequestFilter:
    """What a list shows. `only_staff`: a manager's own; `q`: part of an e-mail or name; `email`: this very one;
    `since` to before `until`; `retriable`: nobody has the e-mail meanwhile."""

    only_staff: UUID | None = None
    status: RequestStatus | None = None
    q: str | None = None
    ids: tuple[UUID, ...] | None = None
    mode: RequestMode | None = None
    manager_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    email: str | None = None
    retriable: bool = False


class EmailTaken(Conflict):
    """The e-mail address already belongs to a customer, an auth user or a request under way."""

    def __init__(
        self, request_id: UUID | None = None, user_id: UUID | None = None, staff_id: UUID | None = None
    ) -> None:
        super().__init__()
        self.request_id, self.user_id, self.staff_id = request_id, user_id, staff_id


class KeyInUse(Conflict):
    """A request with the same Idempotency-Key is being answered right now; try again in a moment."""


class KeyReused(TripwireError):
    """The Idempotency-Key was used before with another body."""


class NotFailed(Conflict):
    """Only a failed request can be retried."""
