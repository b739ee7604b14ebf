"""Without script every page reads, and the switch switches."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.admin_ui.stand_in_api import PASSWORD, StandInApi
from tests.browser.conftest import HEALTH


@pytest.fixture
def plain(chromium: Any, address: str) -> Iterator[Any]:
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(HEALTH)
    page.fill("#email", "dana@example.com")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_selector("h1:text-is('System Health')")
    yield page
    context.close()


def test_the_page_reads(plain: Any, api: StandInApi) -> None:
    api.state.note("ERROR", "an event", reason="unfolded")
    plain.goto(HEALTH)
    plain.wait_for_selector("text=Everything works")
    plain.wait_for_selector("text=Read at")
    plain.wait_for_selector("text=Times are in UTC.")
    plain.wait_for_selector("#history-table")  # in place of the charts
    assert not plain.is_visible("#charts")
    assert plain.locator("text=Pause").filter(visible=True).count() == 0
    assert not plain.is_visible("text=Keyboard shortcuts")
    plain.click("text=an event")
    plain.wait_for_selector("text=unfolded")


def test_the_switch_switches(plain: Any, api: StandInApi) -> None:
    plain.click("text=Switch to direct…")
    plain.wait_for_selector("main >> text=Switch to direct mode?")
    plain.fill("#reason", "Redis restarts")
    api.switch_by("mara@example.com", "async_queue", "was first")
    plain.click("button:has-text('Switch to direct mode')")
    plain.wait_for_selector("text=Not switched: someone else changed it first.")
    assert plain.input_value("#reason") == "Redis restarts"
    plain.click("button:has-text('Switch to direct mode')")
    plain.wait_for_selector("text=Direct mode is on. You switched it.")
    assert api.state.mode["reason"] == "Redis restarts"


def test_a_test_alert_and_the_log_work(plain: Any, api: StandInApi) -> None:
    for number in range(60):
        api.state.note("INFO", f"line {number}.")
    plain.click("text=Send a test alert")
    plain.wait_for_selector("text=Telegram answered: OK.")
    plain.goto(HEALTH)
    plain.click("text=Show older")
    plain.wait_for_selector("text=line 9.")
    plain.fill("#search", "line 42")
    plain.press("#search", "Enter")
    plain.wait_for_selector(".events > li:only-child")
    assert plain.locator(".events > li").count() == 1


def test_on_a_phone_the_menu_opens(plain: Any) -> None:
    plain.set_viewport_size({"width": 390, "height": 800})
    plain.click("summary:has-text('Menu')")
    plain.click(".sheet >> text=Dashboard")
    plain.wait_for_selector("h1:text-is('Dashboard')")


def test_the_switch_switches_right_on_the_page(plain: Any, api: StandInApi) -> None:
    plain.goto(HEALTH)
    plain.click("text=Switch to direct mode right here")
    plain.fill(".switch-here input[name=reason]", "by hand")
    plain.click(".switch-here button")
    plain.wait_for_selector("text=Direct mode is on. You switched it.")
    assert api.state.mode["reason"] == "by hand"
