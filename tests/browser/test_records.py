"""Requests, customers, staff and activity in a browser: each page's main job."""

from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import a_customer, a_request, a_token, ago, an_entry, uid

REQUESTS = "/admin/requests"
SECRET = "tw_EXAMPLE_k3Qd9fXv2mZr7LwB1sNp8HtYc"
SIX_SECONDS = 6000
EVIL = '<script>document.title = "owned"</script><img src=x onerror="document.title = \'owned\'">'

REFUSED = {"cause": "database_refused", "text": "The database refused (UniqueViolation)."}


def test_new_requests_are_announced_and_shown_on_demand(page: Any, api: StandInApi, messages: list[str]) -> None:
    api.state.requests.append(a_request("first@example.com", "accepted", accepted_at=ago(10)))
    page.goto(REQUESTS)
    page.wait_for_selector("text=Live, updated")
    assert page.inner_text("tbody .pill") == "In progress"
    api.state.requests += [a_request(f"new{number}@example.com", accepted_at=ago(0)) for number in range(3)]
    api.state.requests[0] |= {"status": "provisioned", "took_seconds": 8.0}
    page.fill("[name=q]", "half typ")
    page.select_option("[name=manager_id]", uid(2))
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=3 new requests. Show")
    assert page.input_value("[name=q]") == "half typ"  # what the reader is at stays
    assert page.input_value("[name=manager_id]") == uid(2)
    assert page.locator("tbody tr").count() == 1
    assert page.inner_text("tbody .pill >> nth=0") == "Provisioned"
    page.click("text=3 new requests. Show")
    page.wait_for_selector("text=new2@example.com")
    assert page.locator("tbody tr").count() == 4
    assert messages == []


def test_a_filter_is_found_again_in_the_address(page: Any, api: StandInApi) -> None:
    api.state.requests += [a_request("anna@example.com"), a_request("bek@example.org", mode="sync")]
    page.goto(REQUESTS)
    page.select_option("[name=mode]", "sync")
    page.select_option("[name=when]", "today")
    page.fill("[name=q]", "bek")
    page.press("[name=q]", "Enter")
    page.wait_for_selector("text=1 of 1 requests")
    assert "q=bek&mode=sync&when=today" in page.url
    assert "manager_id" not in page.url
    page.reload()
    assert page.input_value("[name=q]") == "bek"
    assert page.input_value("[name=mode]") == "sync"
    page.select_option("[name=when]", "range")
    assert page.is_visible("[name=from]")


@pytest.mark.parametrize(
    ("zone", "shown", "ahead"),
    [
        ("Asia/Almaty", "2026-07-24T19:00", 300),
        ("Europe/Berlin", "2026-07-24T16:00", 120),
    ],  # Berlin: summer's two hours
)
def test_a_range_means_the_readers_time_as_it_was_then_also_by_a_colleagues_link(
    chromium: Any, page: Any, address: str, api: StandInApi, zone: str, shown: str, ahead: int
) -> None:
    state = page.context.storage_state()
    context = chromium.new_context(base_url=address, storage_state=state, timezone_id=zone)
    reader = context.new_page()
    reader.goto(f"{REQUESTS}?when=range&from=2026-07-24T14:00&to=2026-12-01T00:00")  # of somebody at UTC
    assert reader.input_value("[name=from]") == shown
    begin, end = (api.calls_of("GET", "/api/admin/tripwire/requests")[-1].query[name] for name in ("from", "to"))
    reader.click(".filters button")
    reader.wait_for_url(f"**zone={ahead}*")
    asked = api.calls_of("GET", "/api/admin/tripwire/requests")[-1].query
    assert (asked["from"], asked["to"]) == (begin, end), "the same moments"
    context.close()


def test_all_failed_ones_are_retried_with_their_progress(page: Any, api: StandInApi, messages: list[str]) -> None:
    api.records.retries = 2
    api.state.requests += [a_request(f"bek{number}@example.org", "failed") for number in range(5)]
    page.goto(REQUESTS)
    api.slowness = 0.1
    page.click("text=Retry all 5…")
    page.wait_for_selector("dialog[open] >> text=Retry 5 requests?")
    page.click("#dialog button.primary")
    page.wait_for_selector("dialog >> text=2 of 5 queued for retry")
    page.wait_for_selector("text=5 requests queued for retry")
    assert {row["status"] for row in api.state.requests} == {"accepted"}
    assert page.locator("text=Retry all").count() == 0
    assert messages == []


def test_a_retry_shows_the_timeline_going_on(page: Any, api: StandInApi, messages: list[str]) -> None:
    failed = a_request("bek@example.org", "failed", attempts=3)
    api.state.requests.append(failed)
    steps = api.records.steps[failed["request_id"]] = [
        {"step": "accepted", "at": ago(30), "detail": None},
        {"step": "failed", "at": ago(20), "detail": {**REFUSED, "attempt": 3, "of": 3}},
    ]
    page.goto(f"{REQUESTS}/{failed['request_id']}")
    assert not page.is_visible("text=UniqueViolation")
    page.click("text=Technical detail")
    assert page.is_visible("text=UniqueViolation")
    page.click(".failed-note button")
    page.wait_for_selector("#notice >> text=Queued for retry")
    assert page.evaluate("document.activeElement.id") == "notice-words", "that is what reads it out"
    failed |= {"status": "provisioned", "took_seconds": 31.0}
    steps.append({"step": "provisioned", "at": ago(0), "detail": None})
    page.clock.run_for(1500)  # while it is under way, the page asks each second
    page.wait_for_selector(".timeline >> text=Provisioned")
    page.clock.run_for(SIX_SECONDS)
    assert page.is_visible("#notice >> text=Queued for retry")  # however slowly it is read
    page.click("#notice >> text=Close")
    assert not page.is_visible("#notice >> text=Queued for retry")
    assert page.evaluate("document.activeElement.id") == "main"
    page.reload()
    assert page.locator("#notice-words").count() == 0
    assert messages == []


def test_the_request_number_is_copied(page: Any, api: StandInApi) -> None:
    row = a_request("anna@example.com")
    api.state.requests.append(row)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{REQUESTS}/{row['request_id']}")
    page.click("[data-copy=request-number]")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == row["request_id"]


def test_a_token_is_copied_and_is_gone_after_that(page: Any, api: StandInApi, messages: list[str]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/admin/staff/{uid(2)}")
    page.click("text=Create token")
    page.fill("[name=name]", "CRM import")
    page.press("[name=name]", "Enter")
    page.wait_for_selector("text=It is shown only this once")
    assert page.url.endswith(f"/admin/staff/{uid(2)}")  # loaded again, or come back to, it is the person's page
    page.click("[data-copy=token]")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == SECRET
    page.click("text=I have copied it")
    page.wait_for_selector("text=Tokens of Timur S.")
    assert SECRET not in page.content()
    page.go_back()
    page.wait_for_load_state()
    assert SECRET not in page.content()
    assert len(api.records.tokens[uid(2)]) == 1
    assert messages == []


def test_revoking_a_token_asks_first(page: Any, api: StandInApi) -> None:
    api.records.tokens[uid(2)] = [a_token(last_used_at=ago(60))]
    page.goto(f"/admin/staff/{uid(2)}")
    page.click("text=Revoke…")
    page.wait_for_selector("dialog[open] >> text=Revoke “Website form”?")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    assert len(api.records.tokens[uid(2)]) == 1
    page.click("text=Revoke…")
    page.click("dialog >> text=Revoke token")
    page.wait_for_selector("text=No tokens yet.")


def test_erasing_a_customer_needs_the_typed_e_mail(page: Any, api: StandInApi, messages: list[str]) -> None:
    customer = a_customer("hana@example.com")
    api.records.customers.append(customer)
    page.goto(f"/admin/customers/{customer['user_id']}")
    page.click("text=Erase personal data…")
    page.fill("dialog [name=email]", "hana")
    page.click("#dialog button.danger")
    page.wait_for_selector("text=Nothing was erased.")
    page.fill("#question [name=email]", "hana@example.com")
    page.click("#question button")
    page.wait_for_selector("h1:text-is('Erased customer')")
    assert [message for message in messages if "422" not in message] == []


def test_sales_enters_a_customer_and_follows_it(page: Any, api: StandInApi, messages: list[str]) -> None:
    page.goto("/admin")
    page.click("text=Sign out")
    page.fill("#email", "timur@example.com")
    page.fill("#password", "correct horse battery")
    page.press("#password", "Enter")
    page.wait_for_selector("h1:text-is('My customers')")
    assert page.locator("text=System Health").count() == 0
    page.click("text=Add a customer")
    page.fill("[name=email]", "anna@example.com")
    page.fill("[name=full_name]", "Anna K.")
    page.press("[name=full_name]", "Enter")
    page.wait_for_selector("h1:text-is('anna@example.com')")
    assert page.inner_text(".page-title .pill") == "In progress"
    api.state.requests[0] |= {"status": "provisioned", "user_id": uid(77)}
    page.clock.run_for(1500)
    page.wait_for_selector(".page-title .pill:has-text('Provisioned')")
    assert messages == []


def test_a_script_as_a_name_stays_a_name(page: Any, api: StandInApi, messages: list[str]) -> None:
    who = {"id": uid(7), "email": EVIL, "full_name": EVIL}
    one = a_request(EVIL, "failed", full_name=EVIL, manager=who, error=EVIL)
    customer = a_customer(EVIL, full_name=EVIL, manager=who)
    api.state.requests.append(one)
    api.records.steps[one["request_id"]] = [{"step": "failed", "at": ago(1), "detail": {"cause": EVIL, "text": EVIL}}]
    api.records.customers.append(customer)
    api.records.staff.append({**api.records.staff[1], **who})
    api.records.tokens[uid(7)] = [a_token(EVIL, id=uid(8))]
    api.records.activity.append(an_entry("token made", staff=who, detail={"name": EVIL}))
    for path in (
        REQUESTS,
        f"{REQUESTS}/{one['request_id']}",
        "/admin/customers",
        f"/admin/customers/{customer['user_id']}",
        "/admin/staff",
        f"/admin/staff/{uid(7)}",
        "/admin/activity",
    ):
        page.goto(path)
        page.wait_for_load_state()
        assert page.locator("main img").count() == 0, path
        assert "owned" not in page.title() or "<script>" in page.title(), path
        assert page.evaluate("document.title") != "owned", path
    page.goto(f"/admin/staff/{uid(7)}")
    page.click("text=Revoke…")
    page.wait_for_selector("dialog[open]")
    assert page.locator("dialog img").count() == 0
    assert messages == []


def test_dates_of_another_year_say_it_in_the_readers_zone_too(page: Any, api: StandInApi) -> None:
    api.records.customers.append(a_customer("hana@example.com", created_at="2024-01-03T12:00:00+00:00"))
    page.goto("/admin/customers")
    page.wait_for_selector("text=Live, updated")
    assert page.inner_text("tbody .time-cell").startswith("3 Jan 2024, ")
