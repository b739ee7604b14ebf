"""axe finds nothing to complain about on the dashboard and System Health, in each of their states."""

from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import a_request, ago
from tests.browser.axe import complaints
from tests.browser.conftest import HEALTH


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.long)])
def test_the_pages_in_their_states(page: Any, api: StandInApi, width: int) -> None:
    api.state.note("CRITICAL", "Redis queue failed! Auto-fallback to sync mode", reason="refused")
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/admin", HEALTH, f"{HEALTH}/incidents", f"{HEALTH}/deploys", f"{HEALTH}?switch=sync_direct"):
        page.goto(path)
        assert complaints(page) == [], path
    page.goto(HEALTH)
    page.click("summary:has-text('Show as table')")
    assert complaints(page) == [], "table"
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts[open]")
    assert complaints(page) == [], "keys"
    page.keyboard.press("Escape")
    page.click("a[data-switch]")
    page.wait_for_selector("dialog[open]")
    assert complaints(page) == [], "dialog"
    api.switch_by("mara@example.com", "sync_direct", "Redis restarts")
    api.state.behind = {77}
    page.goto(HEALTH)
    assert complaints(page) == [], "direct mode"
    api.state.metrics["telegram"] = "not_configured"
    api.state.redis_goes_down()
    for path in (HEALTH, "/admin"):
        page.goto(path)
        assert complaints(page) == [], "Redis down"
    page.goto(HEALTH)
    api.stop()
    page.clock.run_for(6000)
    page.wait_for_selector("body.stale")
    assert complaints(page) == [], "API away"


def test_a_card_is_a_link_by_its_title_and_pressed_anywhere(page: Any) -> None:
    page.goto("/admin")
    names = page.eval_on_selector_all(".tile a", "(links) => links.map((link) => link.textContent)")
    assert names == ["System Health", "Requests", "Customers", "Staff", "Queue"]
    figure = page.locator("#card-requests .big").bounding_box()
    page.mouse.click(figure["x"] + 5, figure["y"] + 5)
    page.wait_for_selector("h1:text-is('Requests')")


def test_the_menu_says_which_page_it_is_and_which_one_it_belongs_to(page: Any, api: StandInApi) -> None:
    current = "#menu .side [aria-current]"
    page.goto("/admin/requests")
    assert page.get_attribute(current, "aria-current") == "page"
    row = a_request("anna@example.com")
    api.state.requests.append(row)
    page.goto(f"/admin/requests/{row['request_id']}")
    assert page.inner_text(current) == "Requests"
    assert page.get_attribute(current, "aria-current") == "true"


def test_lists_without_bullets_are_announced_as_lists(page: Any, api: StandInApi) -> None:
    """Safari does not, outside of a nav, where none says it."""
    api.state.note("CRITICAL", "Redis queue failed! Auto-fallback to sync mode", reason="refused")
    api.state.redis_goes_down()
    row = a_request("anna@example.com")
    api.state.requests.append(row)
    api.records.steps[row["request_id"]] = [{"step": "accepted", "at": ago(9), "detail": None}]
    silent = """(lists) => lists.filter((list) =>
        getComputedStyle(list).listStyleType === "none" && list.getAttribute("role") !== "list"
        && !list.closest("nav, [aria-hidden]")).map((list) => list.outerHTML)"""
    for path in ("/admin", HEALTH, f"{HEALTH}?switch=sync_direct", f"/admin/requests/{row['request_id']}"):
        page.goto(path)
        without = page.eval_on_selector_all("ul, ol", silent)
        assert without == [], path


def test_where_the_reader_forces_colours_what_is_done_is_told_from_what_is_not(page: Any, api: StandInApi) -> None:
    api.state.behind = {77}
    page.emulate_media(forced_colors="active")
    page.goto(HEALTH)
    filled, hollow = (
        page.evaluate(f"getComputedStyle(document.querySelector('{which}')).backgroundColor")
        for which in (".segments .filled", ".segments li:not(.filled)")
    )
    assert filled != hollow
    assert page.evaluate("getComputedStyle(document.querySelector('.menu [aria-current]')).outlineStyle") == "solid"
    assert complaints(page) == []


def test_on_paper_stands_what_is_said_and_nothing_to_press(page: Any, api: StandInApi) -> None:
    api.state.redis_goes_down()
    page.emulate_media(media="print")
    for path in (HEALTH, "/admin", "/admin/requests", "/admin/staff"):
        page.goto(path)
        assert page.locator("#menu, button, .button").filter(visible=True).count() == 0, path
        assert page.is_visible("text=Redis is down."), path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
