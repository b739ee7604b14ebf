"""Keyboard: shortcuts lead to pages and can be turned off; the skip link and the focus are there."""

from typing import Any

import pytest

from tests.browser.conftest import HEALTH

pytestmark = pytest.mark.usefixtures("drawn")


@pytest.mark.parametrize(
    ("key", "title"), [("d", "Dashboard"), ("r", "Requests"), ("c", "Customers"), ("a", "Activity")]
)
def test_g_and_a_letter_lead_to_a_page(page: Any, key: str, title: str) -> None:
    page.keyboard.press("g")
    page.keyboard.press(key)
    page.wait_for_selector(f"h1:text-is('{title}')")


@pytest.mark.parametrize("layout", [("п", "Slash", ".", ","), ("п", "Slash", "№", "?")], ids=["Russian", "Kazakh"])
def test_the_keys_work_on_a_layout_without_latin_letters(page: Any, layout: tuple[str, str, str, str]) -> None:
    leader, slash, plain, shifted = layout
    press(page, plain, slash)
    page.wait_for_function("document.activeElement.name === 'q'")
    page.evaluate("document.activeElement.blur()")
    press(page, "з", "KeyP")
    page.wait_for_selector("text=Paused at")
    press(page, shifted, slash, shift=True)
    page.wait_for_selector("#shortcuts[open]")
    page.keyboard.press("Escape")
    press(page, leader, "KeyG")
    press(page, "к", "KeyR")
    page.wait_for_selector("h1:text-is('Requests')")


def test_where_the_layout_has_latin_letters_its_own_signs_count(page: Any) -> None:
    press(page, "u", "KeyG")  # Dvorak's
    press(page, "-", "Slash")  # German's
    assert page.evaluate("document.activeElement.name") is None
    press(page, "p", "KeyR")
    page.wait_for_selector("text=Paused at")


def press(page: Any, key: str, code: str, *, shift: bool = False) -> None:
    """A key as a keyboard of another layout gives it."""
    told = {"key": key, "code": code, "shiftKey": shift, "bubbles": True, "cancelable": True}
    page.evaluate("(told) => document.body.dispatchEvent(new KeyboardEvent('keydown', told))", told)


def test_slash_searches_and_typing_there_is_no_shortcut(page: Any) -> None:
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("gd?p")
    assert page.input_value("#search") == "gd?p"
    assert page.is_visible("text=Live, updated")


def test_p_pauses_and_resumes(page: Any) -> None:
    page.keyboard.press("p")
    page.wait_for_selector("text=Paused at")
    page.keyboard.press("p")
    page.wait_for_selector("text=Live, updated")


def test_the_list_of_keys_turns_them_off(page: Any) -> None:
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts[open] >> text=Pause or resume the refresh")
    page.uncheck("text=Use these keys on this device")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.keyboard.press("?")
    assert page.is_visible("text=Live, updated")
    assert not page.is_visible("#shortcuts")
    page.goto(HEALTH)  # remembered
    page.keyboard.press("p")
    assert page.is_visible("text=Live, updated")


def test_the_skip_link_is_the_first_stop_and_the_focus_is_seen(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_what_is_announced_as_a_button_obeys_the_space_bar(page: Any) -> None:
    """A link that looks like one is announced as a link, which Space does not follow."""
    assert page.locator("a[role=button]").count() == 0
    page.focus("a[data-switch]")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    assert page.locator("dialog a[role=button]").count() == 0


def test_no_key_switches(page: Any) -> None:
    for key in "abcdefghijklmnopqrstuvwxyz0123456789":
        if key != "g":
            page.keyboard.press(key)
    assert not page.is_visible("dialog[open]")
    assert page.url.endswith(HEALTH)


def test_with_reduced_motion_nothing_moves(page: Any) -> None:
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--flash').trim()") == "0s"
