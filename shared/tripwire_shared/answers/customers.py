"""Customers (contract, sections 3 and 4)."""

from uuid import UUID

from tripwire_shared.answers.activity import ActivityEntry
from tripwire_shared.answers.answer import Answer, Moment
from tripwire_shared.answers.requests import RequestItem
from tripwire_shared.answers.staff import StaffName
from tripwire_shared.answers.vocabulary import CustomerStatus, MailStatus, RequestMode, RequestStatus


class Created(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a create; `user_id` and `fallback` where the customer was created at once."""

    success: bool
    request_id: UUID
    email: str
    status: RequestStatus
    mode: RequestMode
    user_id: UUID | None = None
    fallback: bool | None = None


class Customer(Answer, frozen=True, kw_only=True):
    """`welcome_email`: how the newest welcome mail stands. Of an erased customer, e-mail and name say nothing."""

    user_id: UUID
    email: str
    full_name: str
    status: CustomerStatus
    manager: StaffName
    price: int
    currency: str
    created_at: Moment
    request_id: UUID
    welcome_email: MailStatus
    erased: bool


class Sale(Answer, frozen=True, kw_only=True):
    id: UUID
    amount: int
    currency: str
    created_at: Moment


class CustomerDetail(Customer, frozen=True, kw_only=True):
    """One customer with the sale, the requests for this address, and what staff did."""

    sale: Sale
    requests: tuple[RequestItem, ...]
    activity: tuple[ActivityEntry, ...]


class CustomerPage(Answer, frozen=True, kw_only=True):
    """`counts`: how many match in each status, whatever status is asked for; `total`: of that status."""

    users: tuple[Customer, ...]
    total: int
    counts: dict[CustomerStatus, int]
    next_cursor: str | None
    previous_cursor: str | None


class WelcomeLink(Answer, frozen=True, kw_only=True):
    """A one-time link to hand over by other ways than email; the customer's earlier links are dead."""

    link: str
    expires_at: Moment


class Resent(Answer, frozen=True, kw_only=True):
    success: bool
    user_id: UUID
    welcome_email: MailStatus
