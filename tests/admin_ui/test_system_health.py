"""System Health: what happened when, incidents, alerts and the health log, read without script."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from tests.admin_ui.conftest import ADMIN, HEALTH, Visitor
from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_system import a_deploy, an_incident

TEST_ALERT = f"{HEALTH}/test-alert"


def words(page: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


def an_hour_ago(api: StandInApi) -> datetime:
    """Redis was down for three minutes, and somebody switched."""
    began = datetime.now(UTC) - timedelta(minutes=50)
    ended = began + timedelta(seconds=192)
    incident = an_incident(1, "queue unavailable", began, ended, 97, 0.41)
    api.state.past.incidents.append(incident)
    api.state.metrics["last_incident"] = incident
    api.state.past.switches.append(
        {"at": ended.isoformat(), "mode": "sync_direct", "by": ADMIN, "reason": "to be sure", "version": 10}
    )
    return began


def send_test(admin: Visitor) -> str:
    form = {"csrf_token": admin.csrf_token(HEALTH)}
    return words(admin.client.post(TEST_ALERT, data=form).text)


def test_the_table_has_every_bucket_and_says_unknown_as_a_dash(admin: Visitor, api: StandInApi) -> None:
    api.state.past.begun = datetime.now(UTC) - timedelta(minutes=30)
    page = admin.read(HEALTH).text
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', page)
    assert len(rows) == 60
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows]
    assert cells[0] == ["\N{EN DASH}"] * 6
    assert re.fullmatch(r"\d+", cells[-1][0])
    assert cells[-1][1:3] == ["0", "0"]
    assert "not measured, since the system was off or not installed yet" in words(page)
    assert " half hours: 1 up, 47 not measured" in page or " half hours: 2 up, 46 not measured" in page


def test_where_everything_was_measured_no_gap_is_told(admin: Visitor, api: StandInApi) -> None:
    assert "ot measured" not in admin.read(HEALTH).text


@pytest.mark.parametrize(("window", "rows", "unit"), [("24h", 144, "per 10 minutes"), ("7d", 168, "per hour")])
def test_the_window_stands_in_the_address(admin: Visitor, api: StandInApi, window: str, rows: int, unit: str) -> None:
    page = admin.read(f"{HEALTH}?window={window}&type=ERROR").text
    assert page.count('<tr><th scope="row">') == rows
    assert f'data-unit="{unit}"' in page
    assert f'href="{HEALTH}?window={window}&amp;type=INFO#log"' in page  # the other choices stay
    assert f'href="{HEALTH}?type=ERROR#history"' in page


def test_an_unknown_window_is_the_usual_one(admin: Visitor, api: StandInApi) -> None:
    admin.read(f"{HEALTH}?window=forever")
    assert api.calls_of("GET", "/api/admin/system/history")[-1].query["window"] == ["1h"]


def test_outages_and_switches_are_marked_and_told(admin: Visitor, api: StandInApi) -> None:
    an_hour_ago(api)
    page = admin.read(HEALTH).text
    assert 'data-outage="Redis down"' in page
    assert 'data-switch="direct"' in page
    assert f"{ADMIN} switched to direct mode" in words(page)


def test_a_history_that_cannot_be_read_leaves_the_rest(admin: Visitor, api: StandInApi) -> None:
    for path in ("history", "availability", "incidents"):
        api.state.fail[f"/api/admin/system/{path}"] = 500
    page = admin.read(HEALTH)
    assert page.status_code == 200
    assert "The charts could not be read." in page.text
    assert "This list could not be read." in page.text
    assert page.text.count("the last 24 hours are not known") == 5
    assert "Everything works" in page.text


def test_the_last_incident_is_told_in_the_verdict(admin: Visitor, api: StandInApi) -> None:
    an_hour_ago(api)
    told = words(admin.read(HEALTH).text)
    assert re.search(r"No open incident\. The last one: Redis could not be reached, on .+? , for 3 min 12 s\.", told)


def test_on_the_first_day_there_was_no_incident(admin: Visitor) -> None:
    told = words(admin.read(HEALTH).text)
    assert "Everything works No incident so far." in told
    assert "No incident yet. When Redis, Telegram or mail fails, it is kept here." in told
    assert "No event yet." in told


def test_redis_back_is_the_news_for_a_minute(admin: Visitor, api: StandInApi) -> None:
    api.state.redis_goes_down()
    api.state.past.incidents[-1]["started_at"] = (datetime.now(UTC) - timedelta(seconds=271)).isoformat()
    api.state.redis_comes_back()
    told = words(admin.read(HEALTH).text)
    assert (
        "Redis is back after 4 min 31 s. 97 requests were processed synchronously. New ones go through the queue"
        in told
    )
    api.state.metrics["last_incident"]["ended_at"] = (datetime.now(UTC) - timedelta(seconds=61)).isoformat()
    assert "Everything works" in admin.read(HEALTH).text


def test_an_open_incident_stands_first_and_its_figures_beside_it(admin: Visitor, api: StandInApi) -> None:
    an_hour_ago(api)
    api.state.redis_goes_down()
    page = admin.read(HEALTH).text
    first, second = re.findall(r'<li class="(open|)" id="incident-\d">', page)
    assert (first, second) == ("open", "")
    assert "97 processed synchronously, slowest 0.41 s" in words(page)
    assert "1 open" in words(page)


def test_all_incidents_have_a_page_with_older_ones(admin: Visitor, api: StandInApi) -> None:
    for number in range(1, 61):
        began = datetime.now(UTC) - timedelta(days=70 - number)
        api.state.past.incidents.append(an_incident(number, "mail failing", began, began + timedelta(seconds=60)))
    page = admin.read(f"{HEALTH}/incidents").text
    assert page.count("The mail server took no mails") == 50
    [older] = re.findall(r'href="([^"]+)">Older<', page)
    assert admin.read(older).text.count("The mail server took no mails") == 10


def test_deploys_have_a_page(admin: Visitor, api: StandInApi) -> None:
    began = datetime(2026, 11, 24, 15, tzinfo=UTC)
    reason = "the proof failed: <b>late</b>"
    api.state.past.deploys += [
        a_deploy(3, "1.3", began, None),
        a_deploy(2, "1.2", began, "rolled_back", previous="1.1", reason=reason),
        a_deploy(1, "1.1", began),
    ]
    assert 'href="/admin/system-health/deploys"' in admin.read(HEALTH).text
    page = admin.read(f"{HEALTH}/deploys")
    said = words(page.text)
    for expected in ("In progress 1.3", "Rolled back 1.2 after 1.1", "by ops@build-host", "took 49", "Done 1.1"):
        assert expected in said, said
    assert "<b>late</b>" not in page.text
    api.state.past.deploys.clear()
    assert "No deploy yet." in admin.read(f"{HEALTH}/deploys").text


def test_figures_of_redis_are_told_as_they_last_were(admin: Visitor, api: StandInApi) -> None:
    api.state.redis_goes_down()
    assert re.search(r"Completed Unknown was 9,982 at \d\d:\d\d:\d\d", words(admin.read(HEALTH).text))


def test_figures_with_a_list_behind_them_lead_there(admin: Visitor) -> None:
    assert '<a href="/admin/requests?status=failed&amp;when=day">Failed, 24 h</a>' in admin.read(HEALTH).text


def test_telegrams_own_answer_is_shown(admin: Visitor, api: StandInApi) -> None:
    assert "Telegram answered: OK. Message 4812 reached the chat in" in send_test(admin)
    api.state.test_alert = {
        "ok": False,
        "status": 403,
        "description": "bot was blocked by the user",
        "message_id": None,
    }
    told = send_test(admin)
    assert "Telegram answered: 403 bot was blocked by the user. The bot may not write to this chat" in told
    api.state.test_alert = {"ok": False, "status": None, "description": "timed out", "message_id": None}
    assert "Telegram did not answer: timed out." in send_test(admin)


def test_without_telegram_three_lines_say_how_to_configure_it(admin: Visitor, api: StandInApi) -> None:
    api.state.metrics["telegram"] = "not_configured"
    page = admin.read(HEALTH).text
    told = words(page)
    assert "Alerts reach nobody yet." in told
    for step in ("Make a bot", "TELEGRAM_BOT_TOKEN and TELEGRAM_ADMIN_CHAT_ID", "Restart, then send a test alert here"):
        assert step in told
    assert re.search(r"<button[^>]*data-writes disabled>.{0,400}Send a test alert", page, re.S)
    assert "Not sent: Telegram is not configured." in send_test(admin)


def test_a_test_alert_without_the_api_says_that_nothing_was_sent(admin: Visitor, api: StandInApi) -> None:
    form = {"csrf_token": admin.csrf_token(HEALTH)}
    api.stop()
    assert "The API cannot be reached." in admin.client.post(TEST_ALERT, data=form).text


def test_reading_the_test_again_sends_nothing(admin: Visitor, api: StandInApi) -> None:
    assert admin.read(TEST_ALERT).location == f"{HEALTH}#alerts"
    assert not api.calls_of("POST", "/api/admin/system/alerts/test")


def test_the_log_is_searched_and_filtered_by_the_api(admin: Visitor, api: StandInApi) -> None:
    api.state.note("INFO", "Redis queue is back")
    api.state.note("ERROR", "Redis queue failed")
    page = admin.read(f"{HEALTH}?type=ERROR&q=redis").text
    assert "Redis queue failed" in page
    assert "Redis queue is back" not in page
    assert 'value="redis"' in page
    nothing = admin.read(f"{HEALTH}?q=absent").text
    assert "No event matches." in nothing


def test_older_lines_are_a_page_of_their_own_without_script(admin: Visitor, api: StandInApi) -> None:
    for number in range(120):
        api.state.note("INFO", f"line {number}.")
    page = admin.read(HEALTH).text
    assert "line 70." in page
    assert "line 69." not in page
    [older] = re.findall(r'href="([^"]+)" hx-get="[^"]+" hx-target="#older"', page)
    second = admin.read(unescape(older).partition("#")[0]).text
    assert "line 69." in second
    assert "line 20." in second
    assert "Back to the newest" in second


def test_a_direct_switch_tells_its_measured_price(admin: Visitor, api: StandInApi) -> None:
    asked = f"{HEALTH}?switch=sync_direct"
    assert "Each answer takes longer: about 0.31 s, by the last hour." in words(admin.read(asked).text)
    api.state.metrics["p50_seconds"] = {"async": None, "sync": None}
    assert "Each answer takes longer." in words(admin.read(asked).text)


def test_with_redis_down_waiting_jobs_are_not_counted_in_the_question(admin: Visitor, api: StandInApi) -> None:
    api.state.redis_goes_down()
    told = words(admin.read(f"{HEALTH}?switch=sync_direct").text)
    assert "Waiting jobs cannot be counted while Redis is down. They are finished from the database." in told
