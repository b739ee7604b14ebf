"""A page is light and quick: it is opened in an outage, on a phone."""

import gzip
from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.browser.conftest import HEALTH
from tests.waiting import wait_until

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


def test_the_first_paint_with_fifty_lines_takes_less_than_a_second(chromium: Any, page: Any, api: StandInApi) -> None:
    for number in range(50):
        api.state.note("INFO", f"line {number}", number=number)
    page.goto(HEALTH)  # the templates are compiled
    address = page.evaluate("location.origin")
    context = chromium.new_context(base_url=address, storage_state=page.context.storage_state())  # with a real clock
    paints = [_first_paint(context) for _ in range(3)]
    context.close()
    assert min(paints) < 1000, paints


def _first_paint(context: Any) -> float:
    page = context.new_page()
    page.goto(HEALTH)
    read = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    painted: float = wait_until(lambda: page.evaluate(read))
    page.close()
    return painted
