"""The kill switch, without any script."""

import re

from tests.admin_ui.conftest import ADMIN, HEALTH, Visitor
from tests.admin_ui.stand_in_api import StandInApi

MODE = "/api/admin/system/mode"


def test_the_question_says_what_will_happen(admin: Visitor) -> None:
    page = admin.read(f"{HEALTH}?switch=sync_direct").text
    assert "Switch to direct mode?" in page
    assert "all 3 API processes" in page
    assert "3 waiting and 5 active jobs" in page
    assert 'name="version" value="9"' in page[page.index('id="question"') :]


def test_the_page_itself_holds_the_form_with_the_version_it_shows(admin: Visitor, api: StandInApi) -> None:
    api.state.mode["version"] = 12
    [form] = re.findall(rf'<form method="post" action="{HEALTH}">.*?</form>', admin.read(HEALTH).text, re.S)
    assert set(re.findall(r'name="(\w+)"', form)) == {"csrf_token", "mode", "version", "reason"}
    assert 'name="mode" value="sync_direct"' in form
    assert 'name="version" value="12"' in form


def test_a_switch_is_asked_of_the_api_with_mode_reason_and_version(admin: Visitor, api: StandInApi) -> None:
    api.state.mode["version"] = 12
    answer = admin.switch("sync_direct", 12, " Redis restarts at 14:30 ")
    assert (answer.status_code, answer.location) == (303, HEALTH)
    [call] = api.calls_of("POST", MODE)
    assert call.body == {"mode": "sync_direct", "reason": "Redis restarts at 14:30", "version": 12}


def test_after_a_switch_the_page_shows_who_why_and_the_receipts(admin: Visitor, api: StandInApi) -> None:
    api.state.behind = {77}
    admin.switch("sync_direct", 9, "Redis restarts at 14:30")
    page = re.sub(r"<[^>]+>|\s+", " ", admin.read(HEALTH).text)
    page = re.sub(r"\s+", " ", page)
    assert "Direct mode is on. You switched it." in page
    assert "“Redis restarts at 14:30”" in page
    assert f"{ADMIN} (you)" in page
    assert "2 of 3 API processes are on version 10" in page
    assert "Not yet: api on app-2, process 77, still on version 9" in page
    api.state.behind.clear()
    assert "<strong>3 of 3 API processes</strong>" in admin.read(HEALTH).text


def test_a_stale_version_is_explained_and_the_reason_stays(admin: Visitor, api: StandInApi) -> None:
    api.switch_by("mara@example.com", "sync_direct", "I was first")
    answer = admin.switch("sync_direct", 9, "my own reason")
    assert answer.status_code == 409
    assert "Not switched: someone else changed it first." in answer.text
    words = re.sub(r"<[^>]+>", "", answer.text)
    assert re.search(r"mara@example.com switched to direct mode at [\d:]+ \(version 10\): “I was first”", words)
    assert "Your page still showed version 9." in words
    assert 'value="my own reason"' in answer.text
    assert 'name="version" value="10"' in answer.text


def test_switching_to_the_mode_that_is_on_says_so(admin: Visitor) -> None:
    answer = admin.switch("async_queue", 9)
    assert "Already in queue mode since" in admin.read(answer.location).text


def test_an_unknown_mode_or_version_is_refused_here(admin: Visitor, api: StandInApi) -> None:
    for mode, version in (("off", "9"), ("sync_direct", ""), ("sync_direct", "nine")):
        assert admin.switch(mode, version).status_code == 400
    assert not api.calls_of("POST", MODE)


def test_a_switch_that_the_api_never_got_is_told_as_not_done(admin: Visitor, api: StandInApi) -> None:
    token = admin.csrf_token(HEALTH)
    api.stop()
    form = {"mode": "sync_direct", "version": "9", "reason": "typed long", "csrf_token": token}
    answer = admin.client.post(HEALTH, data=form)
    assert answer.status_code == 503
    assert "Not switched." in answer.text
    assert 'value="typed long"' in answer.text


def test_a_switch_without_the_database_is_told_as_not_done(admin: Visitor, api: StandInApi) -> None:
    token = admin.csrf_token(HEALTH)
    api.state.fail[MODE] = 503
    form = {"mode": "sync_direct", "version": "9", "csrf_token": token}
    answer = admin.client.post(HEALTH, data=form)
    assert answer.status_code == 503
    assert "The API cannot reach its database." in answer.text
