"""axe finds nothing to complain about on the dashboard and System Health, in each of their states."""

from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.browser.axe import complaints
from tests.browser.conftest import HEALTH


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_in_their_states(page: Any, api: StandInApi, width: int) -> None:
    api.state.note("CRITICAL", "Redis queue failed! Auto-fallback to sync mode", reason="refused")
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/admin", HEALTH, f"{HEALTH}/incidents", f"{HEALTH}?switch=sync_direct"):
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
