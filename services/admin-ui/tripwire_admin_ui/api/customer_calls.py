"""Customers and sales figures, as the API tells of them (contract, section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tripwire_admin_ui.api.activity_calls import Deed, read_deed
from tripwire_admin_ui.api.answer_fields import Document, listed, moment, needed, text, whole
from tripwire_admin_ui.api.client import ApiClient, Budget
from tripwire_admin_ui.api.request_calls import RequestItem, read_counts, read_request
from tripwire_admin_ui.api.staff_calls import Manager, read_manager

TRIPWIRE = "/api/admin/tripwire"
CUSTOMERS = f"{TRIPWIRE}/users"
STATUSES = ("active", "inactive", "completed", "blocked")


@dataclass(frozen=True)
class Sale:
    id: str
    amount: int | None
    currency: str | None
    created_at: datetime | None


@dataclass(frozen=True)
class Customer:
    """`sale`, `requests` and `activity` are there for a single one only."""

    user_id: str
    email: str
    full_name: str
    status: str
    manager: Manager | None
    price: int | None
    currency: str | None
    created_at: datetime | None
    request_id: str | None
    welcome_email: str | None
    erased: bool
    sale: Sale | None
    requests: tuple[RequestItem, ...]
    activity: tuple[Deed, ...]


@dataclass(frozen=True)
class CustomerPage:
    customers: tuple[Customer, ...]
    total: int | None
    next_cursor: str | None
    previous_cursor: str | None
    counts: Mapping[str, int | None]


@dataclass(frozen=True)
class Numbers:
    """A manager's own figures; `currency` is None where sales were made in several."""

    total_customers: int | None
    active: int | None
    this_week: int | None
    this_month: int | None
    revenue_this_month: int | None
    place: int | None
    of: int | None
    currency: str | None


@dataclass(frozen=True)
class NewCustomer:
    """What came of a new customer: `user_id` where it was created at once."""

    request_id: str
    user_id: str | None
    email: str


def _sale(value: Any) -> Sale | None:
    if not isinstance(value, Mapping):
        return None
    return Sale(str(value.get("id")), whole(value, "amount"), text(value, "currency"), moment(value, "created_at"))


def read_customer(row: Document) -> Customer:
    return Customer(
        user_id=needed(text, row, "user_id"),
        email=text(row, "email") or "",
        full_name=text(row, "full_name") or "",
        status=needed(text, row, "status"),
        manager=read_manager(row.get("manager")),
        price=whole(row, "price"),
        currency=text(row, "currency"),
        created_at=moment(row, "created_at"),
        request_id=text(row, "request_id"),
        welcome_email=text(row, "welcome_email"),
        erased=row.get("erased") is True,
        sale=_sale(row.get("sale")),
        requests=listed(read_request, row, "requests") if "requests" in row else (),
        activity=listed(read_deed, row, "activity") if "activity" in row else (),
    )


def _read_page(answer: Document) -> CustomerPage:
    return CustomerPage(
        customers=listed(read_customer, answer, "users"),
        total=whole(answer, "total"),
        next_cursor=text(answer, "next_cursor"),
        previous_cursor=text(answer, "previous_cursor"),
        counts=read_counts(answer),
    )


def _read_numbers(answer: Document) -> Numbers:
    return Numbers(
        total_customers=whole(answer, "total_customers"),
        active=whole(answer, "active"),
        this_week=whole(answer, "this_week"),
        this_month=whole(answer, "this_month"),
        revenue_this_month=whole(answer, "revenue_this_month"),
        currency=text(answer, "currency"),
        place=whole(answer, "place"),
        of=whole(answer, "of"),
    )


def _read_new(answer: Document) -> NewCustomer:
    return NewCustomer(needed(text, answer, "request_id"), text(answer, "user_id"), text(answer, "email") or "")


class CustomersApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def page(self, token: str, budget: Budget, query: Mapping[str, str]) -> CustomerPage:
        return self._api.call("GET", CUSTOMERS, _read_page, budget, token, query=query)

    def one(self, token: str, budget: Budget, user_id: str) -> Customer:
        """Raises NotThere, also for what the person may not see."""
        return self._api.call("GET", f"{CUSTOMERS}/{user_id}", read_customer, budget, token)

    def create(self, token: str, fields: Mapping[str, Any], key: str) -> NewCustomer:
        """`key` makes it safe to send the same form twice. Raises FieldsRefused, or Conflict for a known e-mail."""
        return self._api.call("POST", CUSTOMERS, _read_new, Budget(), token, body=fields, key=key)

    def set_status(self, token: str, user_id: str, status: str) -> Customer:
        return self._api.call(
            "PATCH", f"{CUSTOMERS}/{user_id}", read_customer, Budget(), token, body={"status": status}
        )

    def erase(self, token: str, user_id: str) -> None:
        self._api.call("DELETE", f"{CUSTOMERS}/{user_id}", lambda _: None, Budget(), token)

    def resend_welcome(self, token: str, user_id: str) -> None:
        path = f"{CUSTOMERS}/{user_id}/resend-welcome"
        self._api.call("POST", path, lambda _: None, Budget(), token, body={})

    def my_numbers(self, token: str, budget: Budget) -> Numbers:
        return self._api.call("GET", f"{TRIPWIRE}/my-stats", _read_numbers, budget, token)
