"""System Health in a browser: what others do arrives, outages come and go, charts say what the table says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_system import an_incident
from tests.browser.conftest import HEALTH
from tests.waiting import wait_until
from tripwire_admin_ui.frame import history_cache

pytestmark = pytest.mark.usefixtures("drawn")

SIX_SECONDS = 6000
SCRIPT = '<script>window.caught = true</script><img src=x onerror="window.caught = true">'


@pytest.fixture(autouse=True)
def _history_is_asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_cache, "SHARE_OF_BUCKET", 1e9)


def first_chart(page: Any) -> str:
    return str(page.evaluate("document.querySelector('#charts canvas').toDataURL()"))


def test_what_a_second_admin_switches_arrives(page: Any, api: StandInApi, messages: list[str]) -> None:
    api.switch_by("mara@example.com", "sync_direct", "Redis restarts at 14:30")
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("#verdict >> text=Direct mode is on. mara@example.com switched it.")
    assert page.is_visible("text=“Redis restarts at 14:30”")
    assert page.inner_text("#menu [data-state] >> nth=0") == "Direct"
    assert page.title().startswith("✕ Direct mode · System Health")
    assert messages == []


def test_redis_goes_and_comes_back_while_the_page_is_open(page: Any, api: StandInApi, messages: list[str]) -> None:
    api.state.redis_goes_down()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=Redis is down. Customers are still being created, directly.")
    assert page.locator(".figure.is-unknown").count() == 6
    assert page.is_visible("text=was 3 at")
    assert page.is_visible("#incidents .open")
    assert page.is_enabled("a[data-switch]")
    api.state.redis_comes_back()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=Redis is back after")
    assert page.locator(".figure.is-unknown").count() == 0
    assert messages == []


def test_the_live_region_speaks_only_when_the_state_changes(page: Any, api: StandInApi) -> None:
    began = datetime.now(UTC) - timedelta(hours=1)
    api.state.metrics["last_incident"] = an_incident(1, "queue unavailable", began, began + timedelta(minutes=3))
    page.goto(HEALTH)  # its verdict names a time, which the page shows in the reader's zone
    page.evaluate("""
        window.spoken = 0;
        new MutationObserver((changes) => { window.spoken += changes.length; })
            .observe(document.querySelector(".verdict-words"), {childList: true, characterData: true, subtree: true});
    """)
    for number in (77, 78):
        api.state.metrics["waiting"] = number
        page.clock.run_for(SIX_SECONDS)
        page.wait_for_selector(f".figure strong:text-is('{number}')")
    assert page.evaluate("window.spoken") == 0
    api.state.redis_goes_down()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=Redis is down.")
    assert page.evaluate("window.spoken") > 0


def test_a_script_in_a_name_is_text_everywhere(page: Any, api: StandInApi, messages: list[str]) -> None:
    api.state.note("ERROR", SCRIPT, **{SCRIPT: SCRIPT})
    api.state.mode |= {"changed_by": SCRIPT, "reason": SCRIPT}
    api.state.processes.append((SCRIPT, 1))
    api.state.behind.add(1)
    api.state.metrics |= {"telegram": "failing", "telegram_detail": SCRIPT}
    api.state.past.incidents.append(an_incident(1, SCRIPT, datetime.now(UTC) - timedelta(minutes=9), None))
    switch = {"at": datetime.now(UTC).isoformat(), "mode": "sync_direct", "by": SCRIPT, "reason": SCRIPT, "version": 2}
    api.state.past.switches.append(switch)
    api.state.test_alert = {"ok": False, "status": 400, "description": SCRIPT, "message_id": None}
    for path in (HEALTH, f"{HEALTH}?q={SCRIPT}"):
        page.goto(path)
        page.wait_for_selector("text=Live, updated")
        with page.expect_response(lambda answer: answer.request.headers.get("tripwire-refresh")):
            page.clock.run_for(1500)  # also as a fragment: while a process is behind, the page asks each second
    for path in ("/admin", f"{HEALTH}/incidents"):
        page.goto(path)
        page.wait_for_selector("text=Live, updated")
    page.goto(HEALTH)
    page.click("text=Send a test alert")
    page.wait_for_selector(f"#alert-answer >> text={SCRIPT}")
    page.click("a[data-switch]")
    page.wait_for_selector("dialog[open]")
    assert page.evaluate("window.caught") is None
    assert messages == []


def test_the_test_alert_is_answered_on_the_page_and_stays(page: Any, api: StandInApi) -> None:
    page.click("text=Send a test alert")
    page.wait_for_selector("text=Telegram answered: OK.")
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=Live, updated 0 s ago")
    assert page.is_visible("text=Message 4812 reached the chat")
    assert page.url.endswith(HEALTH)


def test_a_test_alert_may_take_as_long_as_telegram_may(page: Any, api: StandInApi) -> None:
    api.test_alert_takes = 4.5
    page.click("text=Send a test alert")
    page.clock.run_for(5000)  # longer than a refresh may take
    page.wait_for_selector("text=Telegram answered: OK.", timeout=20_000)  # on a busy machine


def test_older_lines_are_appended_and_no_line_is_lost_when_new_ones_come(page: Any, api: StandInApi) -> None:
    for number in range(130):
        api.state.note("INFO", f"line {number}.")
    page.goto(HEALTH)
    page.click("text=Show older")
    page.wait_for_selector("text=line 30.")
    page.click("text=Show older")
    page.wait_for_selector("text=line 0.")
    assert page.locator("text=Show older").count() == 0
    for number in (130, 131):
        api.state.note("INFO", f"line {number}.")
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=line 131.")
    shown = page.eval_on_selector_all(".events > li", "(rows) => rows.map((row) => Number(row.id.slice(6)))")
    assert shown == list(range(132, 0, -1))
    assert page.locator("text=Show older").count() == 0


def test_charts_draw_what_the_table_says_and_follow_it(page: Any, api: StandInApi, messages: list[str]) -> None:
    began = datetime.now(UTC) - timedelta(minutes=40)
    api.state.past.incidents.append(an_incident(1, "queue unavailable", began, began + timedelta(minutes=4), 9, 0.4))
    page.goto(HEALTH)
    assert page.locator("#charts canvas").count() == 3
    assert page.inner_text(".chip.outage") == "✕ Redis down 4 min"
    box, band = page.locator("#charts").bounding_box(), page.locator(".band.outage").bounding_box()
    assert 0.2 < (band["x"] - box["x"]) / box["width"] < 0.5  # 40 of 60 minutes ago
    assert not page.is_visible("#history-table")
    before = first_chart(page)
    api.state.past.busy = 3
    page.clock.run_for(SIX_SECONDS)
    wait_until(lambda: first_chart(page) != before)
    assert messages == []


def test_the_charts_say_from_when_they_are(page: Any) -> None:
    assert page.inner_text("#history .card-head .muted").startswith("as of ")
    assert page.locator("#history .card-head time[datetime]").count() == 1


def test_minutes_that_nobody_measured_are_gaps(page: Any, api: StandInApi) -> None:
    api.state.past.begun = datetime.now(UTC) - timedelta(minutes=5)
    page.goto(HEALTH)
    page.wait_for_selector("#charts canvas >> nth=2")
    page.hover("#charts .u-over >> nth=0", position={"x": 100, "y": 40})
    assert page.inner_text(".chart-readout").endswith("not measured")
    assert page.locator(".legend >> text=Not measured").is_visible()
    api.state.past.begun = datetime.now(UTC) + timedelta(minutes=5)
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector(".chart-title >> text=not measured")


def test_charts_are_redrawn_in_the_other_scheme(page: Any) -> None:
    page.wait_for_selector("#charts canvas >> nth=2")
    before = first_chart(page)
    page.emulate_media(color_scheme="dark")
    wait_until(lambda: first_chart(page) != before)


def test_the_pointer_reads_a_bucket(page: Any) -> None:
    page.hover("#charts .u-over >> nth=0", position={"x": 300, "y": 40})
    page.wait_for_selector(".chart-readout.shown >> text=Queue")
    assert page.is_visible(".chart-readout >> text=Half faster than")


def test_without_the_api_the_charts_say_that_they_have_no_data(page: Any, api: StandInApi) -> None:
    api.stop()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("body.stale")
    page.clock.run_for(60_000)
    page.wait_for_selector(".band.no-data")
    assert page.is_visible("text=Not known right now. At")
    assert page.inner_text("#dependencies .pill >> nth=0") == "Was up"  # once, however many tries fail
    api.start()
    page.clock.run_for(SIX_SECONDS)
    page.wait_for_selector("text=Through the queue: answered at once")
    assert page.locator(".band.no-data").count() == 0
