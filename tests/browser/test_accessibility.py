"""axe finds nothing to complain about: names, roles, contrast."""

from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.browser.conftest import HEALTH


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_in_their_states(page: Any, api: StandInApi, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no accessibility test: no axe").Axe()

    def complaints() -> list[tuple[str, list[str]]]:
        found = axe.run(page).response["violations"]
        return [(rule["id"], [str(node["target"]) for node in rule["nodes"]]) for rule in found]

    api.state.note("CRITICAL", "Redis queue failed! Auto-fallback to sync mode", reason="refused")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/admin", HEALTH, f"{HEALTH}/incidents", f"{HEALTH}?switch=sync_direct"):
        page.goto(path)
        assert complaints() == [], path
    page.goto(HEALTH)
    page.click("summary:has-text('Show as table')")
    assert complaints() == [], "table"
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts[open]")
    assert complaints() == [], "keys"
    page.keyboard.press("Escape")
    page.click("a[data-switch]")
    page.wait_for_selector("dialog[open]")
    assert complaints() == [], "dialog"
    api.switch_by("mara@example.com", "sync_direct", "Redis restarts")
    api.state.behind = {77}
    page.goto(HEALTH)
    assert complaints() == [], "direct mode"
    api.state.metrics["telegram"] = "not_configured"
    api.state.redis_goes_down()
    for path in (HEALTH, "/admin"):
        page.goto(path)
        assert complaints() == [], "Redis down"
    page.goto(HEALTH)
    api.stop()
    page.clock.run_for(6000)
    page.wait_for_selector("body.stale")
    assert complaints() == [], "API away"
