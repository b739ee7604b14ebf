"""Keyboard: shortcuts lead to pages and can be turned off; the skip link and the focus are there."""

from typing import Any

import pytest

from tests.browser.conftest import HEALTH


@pytest.mark.parametrize(
    ("key", "title"), [("d", "Dashboard"), ("r", "Requests"), ("c", "Customers"), ("a", "Activity")]
)
def test_g_and_a_letter_lead_to_a_page(page: Any, key: str, title: str) -> None:
    page.keyboard.press("g")
    page.keyboard.press(key)
    page.wait_for_selector(f"h1:text-is('{title}')")


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


def test_no_key_switches(page: Any) -> None:
    for key in "abcdefghijklmnopqrstuvwxyz0123456789":
        if key != "g":
            page.keyboard.press(key)
    assert not page.is_visible("dialog[open]")
    assert page.url.endswith(HEALTH)


def test_with_reduced_motion_nothing_moves(page: Any) -> None:
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--flash').trim()") == "0s"
