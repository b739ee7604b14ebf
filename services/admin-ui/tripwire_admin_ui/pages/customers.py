"""Customers: all of them for admins, one's own with one's numbers for sales; and entering a new one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.access import person
from tripwire_admin_ui.api_client import ApiClient, ApiFailure, Conflict, FieldsRefused, NotAllowed, NotSignedIn
from tripwire_admin_ui.api_customers import STATUSES, CustomerPage, CustomersApi
from tripwire_admin_ui.api_requests import RequestPage, RequestsApi
from tripwire_admin_ui.api_staff import StaffApi
from tripwire_admin_ui.filters import SPANS, ListFilter, read_filter
from tripwire_admin_ui.page_reader import PageReader
from tripwire_admin_ui.session_cookie import leave_notice

SHOWN = 50
FIELDS = ("q", "manager_id")
TABS = (("", "All"), *((status, status.capitalize()) for status in STATUSES))
UNFINISHED = {"accepted": "Under way", "duplicate": "Already a customer", "failed": "Failed"}
FAILED_NAMED = 3
# With as many a price is too high already, which the API says.
DIGITS_READ = 20


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("customers", __name__)
    customers, staff = CustomersApi(api), StaffApi(api)

    @blueprint.get("/admin/customers")
    def show() -> str | tuple[str, int]:
        if not person().is_admin:
            return _my_customers(api)
        wanted = read_filter(request.args, STATUSES, FIELDS)
        reader = PageReader(api)
        query = wanted.query(datetime.now(UTC), SHOWN)
        found = reader.read(lambda: customers.page(reader.token, reader.budget, query))
        people = reader.read(lambda: staff.everybody(reader.token, reader.budget)) or ()
        return reader.show("customers.html", wanted=wanted, found=found, people=people, spans=SPANS, tabs=TABS)

    @blueprint.get("/admin/customers/new")
    def enter() -> str:
        return _form({}, {}, token_urlsafe(16))

    @blueprint.post("/admin/customers/new")
    def create() -> Response | tuple[str, int]:
        given = {name: request.form.get(name, "").strip() for name in ("email", "full_name", "price", "currency")}
        key = request.form.get("key", "") or token_urlsafe(16)
        try:
            made = customers.create(person().token, _fields(given), key)
        except (FieldsRefused, Conflict) as refused:
            errors = getattr(refused, "errors", None) or {
                "email" if isinstance(refused, Conflict) else "": str(refused)
            }
            # A corrected form is another wish, so it gets another key.
            return _form(given, errors, token_urlsafe(16)), _status(refused)
        except (NotSignedIn, NotAllowed):
            raise
        except ApiFailure as failure:
            words = f"{failure} Send it again: with the same entries nobody is created twice."
            return _form(given, {"": words}, key), HTTPStatus.SERVICE_UNAVAILABLE
        said = "is being created" if made.user_id is None else "is created"
        leave_notice("Accepted", f"{made.email} {said}.")
        return redirect(url_for("one_request.show", request_id=made.request_id), HTTPStatus.SEE_OTHER)

    return blueprint


def _fields(given: Mapping[str, str]) -> dict[str, Any]:
    """As the API takes them: what is empty is left to its defaults. Raises FieldsRefused."""
    fields: dict[str, Any] = {name: value for name, value in given.items() if value}
    if "price" in fields:
        if not fields["price"].isdecimal():
            raise FieldsRefused("price", {"price": "Enter a whole number."})
        fields["price"] = int(fields["price"][:DIGITS_READ])
    return fields


def _status(refused: ApiFailure) -> HTTPStatus:
    return HTTPStatus.CONFLICT if isinstance(refused, Conflict) else HTTPStatus.UNPROCESSABLE_ENTITY


def _form(given: Mapping[str, str], errors: Mapping[str, str], key: str) -> str:
    return render_template("new_customer.html", given=given, errors=errors, key=key)


def _my_customers(api: ApiClient) -> str | tuple[str, int]:
    """Customers by their state; what is not yet or never became a customer has tabs of its own."""
    wanted = read_filter(request.args, (*STATUSES, *UNFINISHED), ("q",))
    reader = PageReader(api)
    customers, requests = CustomersApi(api), RequestsApi(api)
    query = wanted.query(datetime.now(UTC), SHOWN)
    numbers = reader.read(lambda: customers.my_numbers(reader.token, reader.budget))
    found: CustomerPage | None = None
    unfinished: RequestPage | None = None
    if wanted.status in UNFINISHED:
        unfinished = reader.read(lambda: requests.page(reader.token, reader.budget, query))
        counted = reader.read(lambda: customers.page(reader.token, reader.budget, _counting(wanted)))
    else:
        found = counted = reader.read(lambda: customers.page(reader.token, reader.budget, query))
    failed = reader.read(lambda: requests.page(reader.token, reader.budget, _failed(wanted)))
    return reader.show(
        "my_customers.html",
        wanted=wanted,
        numbers=numbers,
        found=found,
        unfinished=unfinished,
        tabs=_tabs(counted, failed),
        failed=failed,
        unfinished_words=UNFINISHED,
    )


def _counting(wanted: ListFilter) -> dict[str, str]:
    return {**wanted.matching(datetime.now(UTC)), "limit": "1"}


def _failed(wanted: ListFilter) -> dict[str, str]:
    return {**wanted.matching(datetime.now(UTC)), "status": "failed", "limit": str(FAILED_NAMED)}


def _tabs(customers: CustomerPage | None, requests: RequestPage | None) -> list[tuple[str, str, int | None]]:
    """All, then what exists: a state nobody is in has no tab, but the reader's own."""
    of_customers = customers.counts if customers else {}
    of_requests = requests.counts if requests else {}
    everybody = [count for count in of_customers.values() if count is not None]
    tabs: list[tuple[str, str, int | None]] = [("", "All", sum(everybody) if everybody else None)]
    tabs += [("accepted", UNFINISHED["accepted"], of_requests.get("accepted"))]
    tabs += [(status, status.capitalize(), of_customers.get(status)) for status in STATUSES]
    tabs += [(status, UNFINISHED[status], of_requests.get(status)) for status in ("duplicate", "failed")]
    return tabs
