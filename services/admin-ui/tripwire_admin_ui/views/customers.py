"""Customers: all of them for admins, one's own with one's numbers for sales."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, request

from tripwire_admin_ui.api.calls import CustomersApi, RequestsApi, StaffApi
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.auth.scripted_requests import is_refresh
from tripwire_admin_ui.frame.later_rows import later_query, rows_query, shown_until, until_newest
from tripwire_admin_ui.frame.list_filters import SPANS, ListFilter, read_filter
from tripwire_admin_ui.frame.page_reader import PageReader
from tripwire_shared.answers.customers import CustomerPage
from tripwire_shared.answers.requests import RequestPage
from tripwire_shared.answers.vocabulary import CustomerStatus

SHOWN = 50
FIELDS = ("q", "manager_id")
TABS = (("", "All"), *((status.value, status.capitalize()) for status in CustomerStatus))
UNFINISHED = {"accepted": "In progress", "duplicate": "Already a customer", "failed": "Failed"}
FAILED_NAMED = 3


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("customers", __name__)
    customers, staff = CustomersApi(api), StaffApi(api)

    @blueprint.get("/admin/customers")
    def show() -> str | tuple[str, int]:
        if not person().is_admin:
            return _my_customers(api)
        wanted = read_filter(request.args, tuple(CustomerStatus), FIELDS)
        reader = PageReader(api)
        until = shown_until(request.args.get("until", ""), wanted)
        asked = reader.ask(lambda: customers.page(reader.token, reader.budget, rows_query(wanted, until, SHOWN)))
        query = later_query(wanted, until)
        later = reader.ask(lambda: customers.page(reader.token, reader.budget, query)) if until else None
        # A refresh leaves the form with the managers as it is, so it need not ask for them.
        everybody = None if is_refresh() else reader.ask(lambda: staff.everybody(reader.token, reader.budget))
        found, newer = reader.read(asked), reader.read(later) if later else None
        people = reader.read(everybody) if everybody else None
        newest = found.users[0].created_at if found and found.users else None
        return reader.show(
            "customers.html",
            wanted=wanted,
            found=found,
            newer=newer.total if newer else 0,
            until=until or until_newest(newest, wanted),
            people=people or (),
            spans=SPANS,
            tabs=TABS,
        )

    return blueprint


def _my_customers(api: ApiClient) -> str | tuple[str, int]:
    """Customers by their state; what is not yet or never became a customer has tabs of its own."""
    wanted = read_filter(request.args, (*CustomerStatus, *UNFINISHED), ("q",))
    reader = PageReader(api)
    customers, requests = CustomersApi(api), RequestsApi(api)
    until = shown_until(request.args.get("until", ""), wanted)
    rows, later = rows_query(wanted, until, SHOWN), later_query(wanted, until) if until else None
    of_requests = wanted.status in UNFINISHED
    of_customers = _counting(wanted) if of_requests else rows
    my_numbers = reader.ask(lambda: customers.my_numbers(reader.token, reader.budget))
    list_of_failed = reader.ask(lambda: requests.page(reader.token, reader.budget, _failed(wanted)))
    list_of_customers = reader.ask(lambda: customers.page(reader.token, reader.budget, of_customers))
    list_of_requests = reader.ask(lambda: requests.page(reader.token, reader.budget, rows)) if of_requests else None
    came_later = reader.ask(lambda: _count(reader, requests if of_requests else customers, later)) if later else None
    numbers, failed, counted = reader.read(my_numbers), reader.read(list_of_failed), reader.read(list_of_customers)
    unfinished = reader.read(list_of_requests) if list_of_requests else None
    found = None if of_requests else counted
    newer = reader.read(came_later) if came_later else None
    newest = found.users[0].created_at if found and found.users else None
    if unfinished and unfinished.requests:
        newest = unfinished.requests[0].accepted_at
    return reader.show(
        "my_customers.html",
        wanted=wanted,
        numbers=numbers,
        found=found,
        unfinished=unfinished,
        tabs=_tabs(counted, failed),
        failed=failed,
        newer=newer or 0,
        until=until or until_newest(newest, wanted),
    )


def _count(reader: PageReader, listed: CustomersApi | RequestsApi, query: Mapping[str, str]) -> int:
    return listed.page(reader.token, reader.budget, query).total


def _counting(wanted: ListFilter) -> dict[str, str]:
    return {**wanted.matching(datetime.now(UTC)), "limit": "1"}


def _failed(wanted: ListFilter) -> dict[str, str]:
    return {**wanted.matching(datetime.now(UTC)), "status": "failed", "limit": str(FAILED_NAMED)}


def _tabs(customers: CustomerPage | None, requests: RequestPage | None) -> list[tuple[str, str, int | None]]:
    """All, then what exists: a state nobody is in has no tab, but the reader's own."""
    of_customers = {str(status): count for status, count in customers.counts.items()} if customers else {}
    of_requests = {str(status): count for status, count in requests.counts.items()} if requests else {}
    tabs: list[tuple[str, str, int | None]] = [("", "All", sum(of_customers.values()) if customers else None)]
    tabs += [("accepted", UNFINISHED["accepted"], of_requests.get("accepted"))]
    tabs += [(status.value, status.capitalize(), of_customers.get(status)) for status in CustomerStatus]
    tabs += [(status, UNFINISHED[status], of_requests.get(status)) for status in ("duplicate", "failed")]
    return tabs
