"""A page renews itself without taking anything from the reader's hands, and says honestly when it cannot."""

from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import a_customer, a_request, uid
from tests.browser.conftest import HEALTH

pytestmark = pytest.mark.usefixtures("drawn")

SIX_SECONDS = 6000


def test_new_lines_come_and_what_was_unfolded_stays(page: Any, api: StandInApi, messages: list[str]) -> None:
    for number in range(40):
        api.state.note("INFO", f"line {number}", number=number)
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=line 39")
    page.click("text=line 20")
    assert page.is_visible("#event-21 dd")
    page.focus("#event-21 summary")
    scrolled = page.evaluate("scrollY")
    assert scrolled > 0

    api.state.note("CRITICAL", "the newest line", number=41)
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=the newest line")
    assert page.is_visible("#event-21 dd")
    assert page.evaluate("document.activeElement.closest('li').id") == "event-21"
    assert page.evaluate("document.querySelectorAll('.events details[open]').length") == 1
    assert abs(page.evaluate("scrollY") - scrolled) < 80  # the browser holds what is in view in its place
    assert page.get_attribute("#event-41", "class") == "new"
    assert messages == []


def test_figures_change_in_place(page: Any, api: StandInApi) -> None:
    page.evaluate("window.kept = document.querySelector('.figure')")
    api.state.metrics["waiting"] = 77
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector(".figure strong:text-is('77')")
    assert page.evaluate("window.kept === document.querySelector('.figure') && window.kept.isConnected")


def test_pause_holds_the_page_and_resume_renews_it(page: Any, api: StandInApi) -> None:
    page.click("text=Pause")
    page.wait_for_selector("text=Paused at")
    asked = len(api.calls)
    api.state.metrics["waiting"] = 77
    page.clock.run_for(5 * SIX_SECONDS)
    assert len(api.calls) == asked
    assert page.inner_text(".figure strong >> nth=0") == "3"
    page.click("text=Resume")
    page.wait_for_selector(".figure strong:text-is('77')")
    page.wait_for_selector("text=Live, updated")


def test_an_answer_that_comes_after_pause_changes_nothing(page: Any, api: StandInApi) -> None:
    api.slowness = 0.3
    api.state.metrics["waiting"] = 77
    with page.expect_response(lambda answer: HEALTH in answer.url) as answered:
        page.clock.run_for(SIX_SECONDS - 800)
        page.click("text=Pause")
    answered.value.finished()
    page.wait_for_selector("text=Paused at")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.inner_text(".figure strong >> nth=0") == "3"


def test_a_hidden_tab_asks_nothing(page: Any, api: StandInApi) -> None:
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    api.slowness = 0.2
    with page.expect_response(lambda answer: HEALTH in answer.url):
        page.clock.run_for(SIX_SECONDS)
        page.evaluate(hide % "true" + tell)  # while the page is just asking
    api.slowness = 0
    page.wait_for_selector("text=Live, updated 0 s ago")
    asked = len(api.calls)
    page.clock.run_for(5 * SIX_SECONDS)
    assert len(api.calls) == asked
    with page.expect_response(lambda answer: HEALTH in answer.url):
        page.evaluate(hide % "false" + tell)
    assert len(api.calls) > asked


def test_without_the_api_the_page_is_marked_old_and_comes_back_by_itself(page: Any, api: StandInApi) -> None:
    api.stop()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=The API cannot be reached. What you see is from")
    assert page.is_visible("text=Not live, old for")
    assert page.get_attribute("a[data-switch]", "aria-disabled") == "true"
    assert page.is_visible("text=Not possible without the API.")
    assert page.inner_text("#dependencies .pill >> nth=0") == "Was up"
    page.click("a[data-switch]", force=True)
    assert not page.is_visible("dialog")

    api.start()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=Live, updated")
    assert page.is_visible("text=Everything works")
    assert page.get_attribute("a[data-switch]", "aria-disabled") is None
    assert page.inner_text("#dependencies .pill >> nth=0") == "Up"


def test_figures_that_are_not_renewed_age(page: Any) -> None:
    page.click("text=Pause")
    page.clock.run_for(40_000)
    page.wait_for_selector("body.ageing .figure .age:text-matches('^4\\\\d s old$')")


def test_a_page_that_came_without_the_api_says_that_it_is_not_live(page: Any, api: StandInApi) -> None:
    api.stop()
    page.goto(HEALTH)
    page.wait_for_selector("text=Not live")
    api.start()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=Everything works")
    page.wait_for_selector("text=Live, updated")


def test_a_session_that_ended_leads_to_sign_in(page: Any, api: StandInApi) -> None:
    api.state.tokens.clear()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_url("**/login**")


@pytest.fixture
def pages(api: StandInApi) -> dict[str, str]:
    """Pages other than System Health and the dashboard, by what they are."""
    customer, request = a_customer("hana@example.com"), a_request("bek@example.org", "failed")
    api.records.customers.append(customer)
    api.state.requests.append(request)
    return {
        "customers": "/admin/customers",
        "a customer": f"/admin/customers/{customer['user_id']}",
        "a new customer": "/admin/customers/new",
        "staff": "/admin/staff",
        "a person": f"/admin/staff/{uid(2)}?ask=token",
        "a new person": "/admin/staff/new",
        "a request": f"/admin/requests/{request['request_id']}",
        "activity": "/admin/activity",
        "queue without Redis": "/admin/queue/",
    }


@pytest.mark.parametrize(
    "which",
    [
        *("customers", "a customer", "a new customer", "staff", "a person", "a new person"),
        *("a request", "activity", "queue without Redis"),
    ],
)
def test_every_page_follows_the_system_and_is_marked_old_without_the_api(
    page: Any, api: StandInApi, pages: dict[str, str], messages: list[str], which: str
) -> None:
    page.goto(pages[which])
    word = page.locator("#menu [data-state] >> nth=0")
    assert word.inner_text() == "OK"
    api.state.redis_goes_down()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("#system-line >> text=Redis is down. Customers are still being created, directly.")
    assert word.inner_text() == "Down"

    api.stop()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=The API cannot be reached. What you see is from")
    assert word.inner_text() == "Unknown"
    assert not page.is_visible("#system-line")
    assert page.locator("main :is(button[data-writes]:enabled, a[data-writes]:not([aria-disabled=true]))").count() == 0
    api.start()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("#stale-verdict", state="detached")
    assert page.locator("main :is(button[data-writes]:disabled, a[data-writes][aria-disabled=true])").count() == 0
    assert [message for message in messages if "503" not in message] == []


def test_what_is_being_typed_stays_when_a_page_renews_itself(page: Any, api: StandInApi, pages: dict[str, str]) -> None:
    for path, field in (
        (pages["a new customer"], "[name=full_name]"),
        (pages["a new person"], "[name=full_name]"),
        (pages["a person"], "#new-token [name=name]"),
        (pages["a person"], "#password-form [name=password]"),
        (f"{pages['a customer']}?ask=erase", "#question [name=email]"),
    ):
        page.goto(path)
        page.fill(field, "half typ")
        page.evaluate("document.activeElement.blur()")
        with page.expect_response(lambda answer: answer.request.headers.get("tripwire-refresh")):
            page.clock.run_for(SIX_SECONDS)
        page.wait_for_selector("text=Live, updated 0 s ago")
        assert page.input_value(field) == "half typ", path


def test_the_answer_to_a_form_stays_when_the_page_renews_itself(
    page: Any, api: StandInApi, pages: dict[str, str], messages: list[str]
) -> None:
    page.goto(f"{pages['a customer']}?ask=erase")
    page.fill("#question [name=email]", "somebody else")
    page.click("#question button")
    page.wait_for_selector("text=Nothing was erased.")
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=Live, updated 0 s ago")
    assert page.is_visible("text=Nothing was erased.")
    page.goto(pages["a new customer"])
    page.fill("[name=email]", "bek@example.org")
    page.fill("[name=full_name]", "Bek T.")
    page.press("[name=full_name]", "Enter")
    page.wait_for_selector("text=See the request")
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=Live, updated 0 s ago")
    assert page.is_visible("text=See the request")
    assert page.input_value("[name=full_name]") == "Bek T."
    assert [message for message in messages if not message.startswith("Failed to load resource")] == []


def test_an_api_that_does_not_answer_in_time_is_not_called_away(page: Any, api: StandInApi) -> None:
    api.slowness = 3.0
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=The API did not answer in time. What you see is from")
