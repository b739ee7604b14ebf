"""The pages of requests, customers, staff, activity and the queue: axe finds nothing, and nothing scrolls sideways."""

from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import a_customer, a_request, a_token, ago, an_entry, uid
from tests.browser.axe import complaints

LONG = "a-very-long-name-without-any-space-in-it-that-somebody-really-has@a-domain-that-is-long-too.example.com"


@pytest.fixture
def filled(api: StandInApi) -> dict[str, str]:
    """An API that knows something of everything; the addresses of the pages about it."""
    failed = a_request("bek@example.org", "failed", full_name="Bek T.", attempts=3)
    doing = a_request("chen@example.net", "accepted", mode="fallback", accepted_at=ago(6), due_at=ago(-41))
    done = a_request(LONG, full_name=LONG, mode="sync", welcome_email="pending")
    customer, erased = (
        a_customer(LONG, full_name=LONG, request_id=done["request_id"]),
        a_customer("x@example.com", "blocked", erased=True),
    )
    api.state.requests += [failed, doing, done, a_request("farid@example.com", "duplicate")]
    api.records.customers += [customer, erased]
    api.records.steps |= {
        failed["request_id"]: [
            {"step": "accepted", "at": ago(9), "detail": None},
            {"step": "attempt_started", "at": ago(8), "detail": {"attempt": 3, "of": 3, "door": "sweep"}},
            {"step": "failed", "at": ago(7), "detail": {"attempt": 3, "of": 3, "text": "x" * 300}},
        ],
        done["request_id"]: [
            {"step": "attempt_started", "at": ago(8), "detail": {"attempt": 1, "of": 3, "door": "queue"}},
            {"step": "provisioned", "at": ago(7), "detail": {"checks": ["auth_user", "customer"]}},
            {"step": "mail_failed", "at": ago(1), "detail": {"try": 2, "text": "refused"}},
        ],
    }
    api.records.tokens[uid(2)] = [a_token(LONG, expires_at=ago(-6 * 86_400))]
    api.records.activity += [
        an_entry("token made", detail={"name": LONG}),
        an_entry("customer erased", user_id=erased["user_id"]),
    ]
    return {
        "requests": "/admin/requests",
        "nothing matches": "/admin/requests?q=nobody&when=range&from=x",
        "retry all": "/admin/requests?ask=retry",
        "failed": f"/admin/requests/{failed['request_id']}",
        "under way": f"/admin/requests/{doing['request_id']}",
        "done": f"/admin/requests/{done['request_id']}",
        "customers": "/admin/customers",
        "customer": f"/admin/customers/{customer['user_id']}",
        "erase": f"/admin/customers/{customer['user_id']}?ask=erase",
        "erased": f"/admin/customers/{erased['user_id']}",
        "new customer": "/admin/customers/new",
        "staff": "/admin/staff",
        "new staff": "/admin/staff/new",
        "person": f"/admin/staff/{uid(2)}?ask=token",
        "revoke": f"/admin/staff/{uid(2)}?ask=revoke&token={uid(9)}",
        "activity": "/admin/activity",
        "queue without Redis": "/admin/queue/",
    }


@pytest.mark.timeout(180)
@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.long)])
def test_axe_finds_nothing(page: Any, filled: dict[str, str], messages: list[str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name, path in filled.items():
        page.goto(path)
        page.wait_for_load_state()
        assert complaints(page) == [], name
    page.goto(f"/admin/staff/{uid(2)}?ask=token")
    page.fill("[name=name]", "CRM import")
    page.press("[name=name]", "Enter")
    page.wait_for_selector("text=It is shown only this once")
    assert complaints(page) == [], "a new token"
    page.click("text=Revoke… >> nth=0")
    page.wait_for_selector("dialog[open]")
    assert complaints(page) == [], "the dialog"
    assert messages == []


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.long)])
def test_axe_finds_nothing_for_sales(page: Any, filled: dict[str, str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.context.clear_cookies()
    page.goto("/login")
    page.fill("#email", "timur@example.com")
    page.fill("#password", "correct horse battery")
    page.press("#password", "Enter")
    page.wait_for_selector("h1:text-is('My customers')")
    for name, path in {**filled, "under way": "/admin/customers?status=accepted"}.items():
        page.goto(path)
        assert complaints(page) == [], name


@pytest.mark.timeout(180)
def test_no_page_scrolls_sideways(page: Any, filled: dict[str, str]) -> None:
    for name, path in filled.items():
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        for width in (320, 390, 768, 1024, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} at {width}"
