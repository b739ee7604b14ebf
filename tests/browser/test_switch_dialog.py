"""The switch in a browser: asked in a dialog, proved by receipts on the page."""

from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.browser.conftest import HEALTH

pytestmark = pytest.mark.usefixtures("drawn")


def test_switching_in_the_dialog_shows_the_receipts_coming_in(page: Any, api: StandInApi, messages: list[str]) -> None:
    page.click("text=Switch to direct…")
    page.wait_for_selector("dialog[open] >> text=Switch to direct mode?")
    assert page.evaluate("document.activeElement.name") == "reason"
    page.keyboard.type("Redis restarts at 14:30")
    api.state.behind = {77}
    page.click("#dialog button")
    page.wait_for_selector("text=Direct mode is on. You switched it.")
    assert page.is_visible("text=2 of 3 API processes")
    api.state.behind = set()
    page.clock.run_for(1500)  # while receipts come in, the page asks each second
    page.wait_for_selector("text=3 of 3 API processes")
    assert page.is_visible("text=“Redis restarts at 14:30”")
    assert messages == []


def test_escape_and_the_first_button_change_nothing(page: Any, api: StandInApi) -> None:
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.click("text=Stay in queue mode")):
        page.click("text=Switch to direct…")
        page.wait_for_selector("dialog[open]")
        leave()
        page.wait_for_selector("dialog[open]", state="detached")
    assert api.state.mode["version"] == 9


def test_a_selection_that_ends_on_the_backdrop_does_not_close_the_dialog(page: Any) -> None:
    page.click("text=Switch to direct…")
    page.wait_for_selector("dialog[open]")
    page.keyboard.type("Redis restarts")
    field = page.locator("#reason").bounding_box()
    page.mouse.move(field["x"] + 60, field["y"] + field["height"] / 2)
    page.mouse.down()
    page.mouse.move(5, field["y"], steps=4)
    page.mouse.up()
    assert page.input_value("dialog #reason") == "Redis restarts"
    page.mouse.click(5, 5)
    page.wait_for_selector("dialog[open]", state="detached")


def test_a_dialog_left_open_does_not_overwrite_what_another_switched(page: Any, api: StandInApi) -> None:
    page.click("text=Switch to direct…")
    page.wait_for_selector("dialog[open]")
    page.keyboard.type("mine")
    api.switch_by("mara@example.com", "sync_direct", "faster")
    page.clock.run_for(6000)
    page.wait_for_selector("#verdict >> text=mara@example.com switched it")
    page.click("#dialog button")
    page.wait_for_selector("text=Not switched: someone else changed it first.")
    assert page.input_value("#reason") == "mine"


def test_a_page_never_scrolls_sideways(page: Any, api: StandInApi) -> None:
    api.state.note("ERROR", "x" * 300, **{"y" * 80: "z" * 300})
    api.state.redis_goes_down()
    for width in (320, 390, 768, 1024, 1280, 1920, 3840):
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("/admin", HEALTH, f"{HEALTH}?switch=sync_direct", f"{HEALTH}/incidents"):
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} at {width}"


def test_a_refused_switch_stays_explained_and_its_reason_typed(page: Any, api: StandInApi) -> None:
    page.click("text=Switch to direct…")
    page.wait_for_selector("dialog[open]")
    page.keyboard.type("mine")
    api.switch_by("mara@example.com", "sync_direct", "faster")
    api.state.behind = {77}  # the page asks each second
    page.click("#dialog button")
    page.wait_for_selector("text=Not switched: someone else changed it first.")
    page.focus("#reason")
    page.keyboard.press("End")
    page.keyboard.type(" and more")
    page.evaluate("document.activeElement.blur()")
    api.state.metrics["waiting"] = 77
    for _ in range(3):
        with page.expect_response(lambda answer: answer.request.headers.get("tripwire-refresh")):
            page.clock.run_for(1500)
    page.wait_for_selector("#question >> text=77 waiting")
    assert page.is_visible("text=Not switched: someone else changed it first.")
    assert page.is_visible("text=Your page still showed version 9.")
    assert page.input_value("#reason") == "mine and more"
    api.switch_by("mara@example.com", "async_queue", "back")
    page.clock.run_for(1500)
    page.wait_for_selector("#mode-card >> text=Queue mode")
    assert page.input_value("#switch-version") == "10", "what was not read is not overwritten"


def test_a_question_in_the_page_stays_while_the_mode_cannot_be_read(page: Any, api: StandInApi) -> None:
    api.state.fail["/api/admin/system/mode"] = 500
    page.goto(f"{HEALTH}?switch=sync_direct")
    assert page.is_disabled("#question button")
    assert page.is_visible("text=Not possible: the mode cannot be read.")
    page.fill("#reason", "mine")
    page.evaluate("document.activeElement.blur()")
    for broken in (False, True, False):
        api.state.fail = {"/api/admin/system/mode": 500} if broken else {}
        page.clock.run_for(6000)
        page.wait_for_selector(f"#question button:{'disabled' if broken else 'enabled'}")
        assert page.input_value("#reason") == "mine"
        assert page.input_value("#switch-version") == "9"
    page.click("#question button")
    page.wait_for_selector("text=Direct mode is on. You switched it.")
