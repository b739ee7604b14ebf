"""A page is light: it is opened in an outage, on a phone."""

import gzip
from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.browser.conftest import HEALTH
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("drawn")

LARGEST = 150 * 1024  # bytes of a page with all it needs, compressed
ALREADY_SMALL = (".woff2",)


@pytest.mark.parametrize("path", ["/admin", HEALTH, f"{HEALTH}?window=7d"])
def test_a_page_weighs_under_150_kilobytes(page: Any, api: StandInApi, path: str) -> None:
    for number in range(50):
        api.state.note(
            "CRITICAL", f"Redis queue failed! Auto-fallback to sync mode, {number}", reason="refused", n=number
        )
    weights: dict[str, int] = {}

    def weigh(answer: Any) -> None:
        body = answer.body()
        weights[answer.url] = len(body if answer.url.endswith(ALREADY_SMALL) else gzip.compress(body))

    fresh = page.context.new_page()
    fresh.on("requestfinished", lambda request: weigh(request.response()))
    fresh.goto(path)
    fresh.wait_for_load_state("networkidle")
    wait_until(lambda: fresh.evaluate("document.fonts.status") == "loaded")
    total = sum(weights.values())
    assert len(weights) > 10
    assert total < LARGEST, sorted(weights.items(), key=lambda item: -item[1])[:5]
