"""What is not known is said to be unknown: with Redis, the database or the API away."""

import re
import time

import pytest

from tests.admin_ui.conftest import HEALTH, Visitor
from tests.admin_ui.stand_in_api import StandInApi


def figures(page: str) -> dict[str, str]:
    """The figures of a page by their names."""
    found = re.findall(r'class="figure[^>]*>\s*<dt>(.+?)</dt>\s*<dd><strong>(.+?)</strong>', page)
    assert found, "no figures on the page"
    return {words(name): words(value) for name, value in found}


def words(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", markup).split())


def test_every_figure_is_shown_as_it_was_measured(admin: Visitor) -> None:
    shown = figures(admin.read(HEALTH).text)
    assert shown["Waiting"] == "3"
    assert shown["Completed"] == "9,982"
    assert shown["Scheduled"] == "0"
    assert shown["Oldest waiting"] == "0.9 s"


def test_with_redis_down_its_figures_are_unknown_and_the_others_live_on(admin: Visitor, api: StandInApi) -> None:
    api.state.redis_goes_down()
    page = admin.read(HEALTH).text
    shown = figures(page)
    for name in ("Waiting", "Active", "Scheduled", "Completed", "Failed", "Workers"):
        assert shown[name] == "Unknown", name
    assert shown["Provisioned, 24 h"] == "12,480"
    assert "Redis is down. Customers are still being created, directly." in page
    assert "97 requests served directly so far, slowest 0.41 s." in page
    assert "<title>✕ Redis down" in page


def test_with_redis_down_the_dashboard_says_unknown_too(admin: Visitor, api: StandInApi) -> None:
    api.state.redis_goes_down()
    page = admin.read("/admin").text
    queue = page[page.index('id="card-queue"') :]
    assert "Unknown" in queue
    assert "unknown active, unknown scheduled" in queue
    assert not re.search(r"<strong>0</strong>", queue)


def test_a_figure_that_the_api_does_not_give_is_unknown(admin: Visitor, api: StandInApi) -> None:
    for name in ("postgresql", "smtp", "mails_waiting", "alerts_waiting"):
        api.state.metrics.pop(name)
    page = admin.read(HEALTH).text
    assert figures(page)["Mails waiting"] == "Unknown"
    assert page.count("the API did not say") == 2


def test_nobody_waiting_is_not_unknown(admin: Visitor, api: StandInApi) -> None:
    api.state.metrics |= {"accepted_unfinished": 0, "oldest_accepted_seconds": None}
    assert figures(admin.read(HEALTH).text)["Oldest waiting"] == "none"


def test_one_part_that_fails_leaves_the_rest(admin: Visitor, api: StandInApi) -> None:
    api.state.fail["/api/admin/system/logs"] = 500
    page = admin.read(HEALTH).text
    assert "This list could not be read." in page
    assert figures(page)["Waiting"] == "3"


def test_without_the_database_the_page_says_so(admin: Visitor, api: StandInApi) -> None:
    for path in ("mode", "metrics", "logs"):
        api.state.fail[f"/api/admin/system/{path}"] = 503
    page = admin.read(HEALTH)
    assert page.status_code == 200
    assert "The database is down. No customer can be created." in page.text


@pytest.mark.parametrize("path", ["/admin", HEALTH])
def test_without_the_api_the_page_still_comes_and_shows_no_figure(admin: Visitor, api: StandInApi, path: str) -> None:
    api.stop()
    page = admin.read(path)
    assert page.status_code == 200
    assert "The API cannot be reached." in page.text
    assert 'class="figure' not in page.text
    assert admin.read(path, **{"Tripwire-Refresh": "idle"}).status_code == 503


@pytest.mark.parametrize("slowness", [1.2, 5.0])
def test_a_slow_or_silent_api_costs_less_than_three_seconds(admin: Visitor, api: StandInApi, slowness: float) -> None:
    admin.read(HEALTH)  # the templates are compiled once; a server does that at its start
    api.slowness = slowness
    began = time.monotonic()
    page = admin.read(HEALTH)
    assert time.monotonic() - began < 3
    assert page.status_code == 200
    assert "cannot be reached" in page.text
