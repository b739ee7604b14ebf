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
    assert "97 requests processed synchronously so far, slowest 0.41 s." in page
    assert "<title>✕ Redis down" in page


def test_with_redis_down_the_dashboard_says_unknown_too(admin: Visitor, api: StandInApi) -> None:
    api.state.redis_goes_down()
    page = admin.read("/admin").text
    queue = page[page.index('id="card-queue"') :]
    assert "Unknown" in queue
    assert "unknown active, unknown scheduled" in queue
    assert not re.search(r"<strong>0</strong>", queue)


def test_figures_that_are_no_answer_of_the_api_are_unknown_all_of_them(admin: Visitor, api: StandInApi) -> None:
    """A field is missing: what then may the rest be?"""
    api.state.raw["/api/admin/system/metrics"] = {"redis": "up", "waiting": 3}
    page = admin.read(HEALTH).text
    assert set(figures(page).values()) == {"Unknown"}
    assert "could not be read (field “last_known”)" in page or "could not be read (field “active”)" in page


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


def test_a_slow_api_is_waited_for_once_and_not_once_for_each_part(admin: Visitor, api: StandInApi) -> None:
    admin.read(HEALTH)  # the templates are compiled once; a server does that at its start
    api.slowness = 0.7
    began = time.monotonic()
    page = admin.read(HEALTH).text
    assert time.monotonic() - began < 2.4, "two waits at most: the charts are asked for once the reader is known"
    assert "Everything works" in page
    assert "could not be read" not in page
    assert figures(page)["Waiting"] == "3"


@pytest.mark.parametrize("path", [HEALTH, "/admin/requests"])
def test_an_api_that_does_not_answer_in_time_costs_less_than_three_seconds_and_is_not_called_away(
    admin: Visitor, api: StandInApi, path: str
) -> None:
    admin.read(path)
    api.slowness = 5.0
    began = time.monotonic()
    page = admin.read(path)
    assert time.monotonic() - began < 3
    assert page.status_code == 200
    assert "The API did not answer in time." in page.text
    assert "cannot be reached" not in page.text
    assert admin.read(path, **{"Tripwire-Refresh": "idle"}).status_code == 504


def test_a_busy_api_is_not_a_database_that_is_down(admin: Visitor, api: StandInApi) -> None:
    for path in ("mode", "metrics"):
        api.state.fail[f"/api/admin/system/{path}"] = 503
    api.state.fail_title = "Too many requests"
    page = admin.read(HEALTH).text
    assert "The database is down" not in page
    assert "The API answers, but its mode cannot be read." in page
