"""The system's own calls: the mode with its version, figures that are never a false 0, the log page by page."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from deploy.local.valkey import ValkeyServer
from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sell, sql, take_in
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import EventType, Role
from tripwire_shared.events.event import Event

MODE = "/api/admin/system/mode"
METRICS = "/api/admin/system/metrics"
LOGS = "/api/admin/system/logs"
OF_REDIS = ("waiting", "active", "scheduled", "completed", "failed", "workers")


@pytest.fixture
def telegram_server() -> Iterator[TelegramServer]:
    server = TelegramServer()
    yield server
    server.stop()


def test_a_switch_names_who_and_counts_up(admin: Caller) -> None:
    before = admin.get(MODE).get_json()
    answer = admin.post(MODE, json={"mode": "sync_direct", "reason": "a test", "version": before["version"]})
    version = before["version"] + 1
    assert answer.get_json() == {
        "success": True,
        "mode": "sync_direct",
        "previous_mode": "async_queue",
        "version": version,
    }
    after = admin.get(MODE).get_json()
    assert (after["mode"], after["version"], after["reason"]) == ("sync_direct", version, "a test")
    assert after["changed_by"] == "boss@example.com"


def test_a_stale_version_is_409_and_switches_nothing(admin: Caller) -> None:
    version = admin.get(MODE).get_json()["version"]
    assert admin.post(MODE, json={"mode": "sync_direct", "version": version}).status_code == 200
    refused = assert_problem(admin.post(MODE, json={"mode": "async_queue", "version": version}), 409)
    assert refused["version"] == version + 1
    assert admin.get(MODE).get_json()["mode"] == "sync_direct"


def test_a_switch_is_in_the_log_with_who_did_it(admin: Caller) -> None:
    admin.post(MODE, json={"mode": "sync_direct"})
    event = admin.get(f"{LOGS}?type=SWITCH").get_json()["logs"][0]
    assert event["message"] == "System mode changed to: sync_direct"
    assert event["metadata"]["changed_by"] == "boss@example.com"


def test_whoever_switches_is_obeyed_at_once(admin: Caller, manager: Caller) -> None:
    for number, (mode, status) in enumerate([("sync_direct", 201), ("async_queue", 202)] * 5):
        assert admin.post(MODE, json={"mode": mode}).status_code == 200
        body = {"email": f"a{number}@example.com", "full_name": "Anna K."}
        assert manager.post("/api/admin/tripwire/users", json=body).status_code == status


def test_the_mode_that_is_set_already_stays_without_a_new_version(admin: Caller) -> None:
    before = admin.get(MODE).get_json()
    answer = admin.post(MODE, json={"mode": "async_queue", "reason": "again"})
    assert answer.get_json() == {
        "success": True,
        "mode": "async_queue",
        "previous_mode": "async_queue",
        "version": before["version"],
    }
    assert admin.get(MODE).get_json()["reason"] == before["reason"]
    assert admin.get(f"{LOGS}?type=SWITCH").get_json()["logs"] == []


def test_of_two_who_switch_at_once_with_the_same_version_one_wins(api: ApiUnderTest, admin: Caller) -> None:
    version = admin.get(MODE).get_json()["version"]
    callers = [Caller(api.client.application.test_client(), admin.token) for _ in range(8)]
    body = {"mode": "sync_direct", "version": version}
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(lambda who: who.post(MODE, json=body).status_code, callers))
    assert statuses == {200: 1, 409: 7}
    assert admin.get(MODE).get_json()["version"] == version + 1


def test_this_process_says_which_version_it_obeys(admin: Caller) -> None:
    version = admin.post(MODE, json={"mode": "sync_direct"}).get_json()["version"]
    wait_until(lambda: [one["version"] for one in admin.get(MODE).get_json()["processes"]] == [version], 3)


def test_figures_are_counted(manager: Caller, admin: Caller) -> None:
    manager.post("/api/admin/tripwire/users", json={"email": "anna@example.com", "full_name": "Anna K."})
    figures = admin.get(METRICS).get_json()
    assert (figures["redis"], figures["postgresql"], figures["breaker"]) == ("up", "up", "closed")
    assert (figures["waiting"], figures["accepted_unfinished"]) == (1, 1)
    assert figures["oldest_accepted_seconds"] >= 0
    assert figures["incident"] is None
    assert (figures["telegram"], figures["smtp"]) == ("not_configured", "not_configured")
    assert datetime.fromisoformat(figures["measured_at"]).utcoffset() is not None


def test_figures_of_redis_are_null_while_it_is_down(
    api_for: Callable[..., ApiUnderTest], own_valkey: ValkeyServer
) -> None:
    api = api_for(redis_url=own_valkey.url)
    admin = api.member("boss@example.com", Role.ADMIN)
    assert admin.get(METRICS).get_json()["waiting"] == 0
    own_valkey.stop()
    figures = admin.get(METRICS).get_json()
    assert figures["redis"] == "down"
    assert {name: figures[name] for name in OF_REDIS} == dict.fromkeys(OF_REDIS)
    assert figures["accepted_unfinished"] == 0
    incident = wait_until(lambda: admin.get(METRICS).get_json()["incident"], 5)
    assert incident["cause"] == "queue unavailable"


def test_a_figure_that_is_unknown_now_was_known_once(
    api_for: Callable[..., ApiUnderTest], own_valkey: ValkeyServer
) -> None:
    api = api_for(redis_url=own_valkey.url)
    admin, seller = api.member("boss@example.com", Role.ADMIN), api.member("manager@example.com")
    take_in(seller)
    before = admin.get(METRICS).get_json()
    assert set(before["last_known"]) == set(OF_REDIS)
    assert before["workers_seen_at"] is None, "no worker runs here"
    own_valkey.stop()
    after = admin.get(METRICS).get_json()
    assert (after["waiting"], after["last_known"]["waiting"]["value"]) == (None, 1)
    assert after["last_known"]["waiting"]["at"] == before["last_known"]["waiting"]["at"]


def test_a_process_that_never_saw_redis_says_so(api_for: Callable[..., ApiUnderTest], own_valkey: ValkeyServer) -> None:
    own_valkey.stop()
    admin = api_for(redis_url=own_valkey.url).member("boss@example.com", Role.ADMIN)
    assert admin.get(METRICS).get_json()["last_known"] == {}


@pytest.mark.usefixtures("direct")
def test_figures_of_people_mails_and_speed(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    ids = [sell(manager, f"c{number}@example.com")["user_id"] for number in range(3)]
    wait_until(lambda: admin.get(METRICS).get_json()["mails_waiting"] == 0, 5)
    sql(api, "UPDATE outbox SET status = 'failed' WHERE channel = 'mail'")
    admin.ask("DELETE", f"/api/admin/tripwire/users/{ids[0]}")
    manager.post(f"/api/admin/tripwire/users/{ids[1]}/resend-welcome")
    admin.post(f"/api/admin/staff/{manager.id}/tokens", json={"name": "soon", "expires_in_days": 6})
    admin.post(f"/api/admin/staff/{manager.id}/tokens", json={"name": "late", "expires_in_days": 8})
    idle = api.member("idle@example.com")
    admin.ask("PATCH", f"/api/admin/staff/{idle.id}", json={"active": False})
    figures = admin.get(METRICS).get_json()
    assert figures["states"] == {"accepted": 0, "provisioned": 3, "duplicate": 0, "failed": 0}
    assert figures["mails_failed"] == 1, "neither the erased one's nor one that goes out anew"
    assert (figures["customers"], figures["staff_active"], figures["tokens_ending_7d"]) == (3, 2, 1)
    assert figures["p50_seconds"]["async"] is None
    assert 0 < figures["p50_seconds"]["sync"] < 5
    assert (figures["last_alert_sent_at"], figures["telegram_detail"]) == (None, None), "Telegram is not configured"


def test_what_telegram_said_last_is_shown(
    api_for: Callable[..., ApiUnderTest], telegram_server: TelegramServer
) -> None:
    api = api_for(**telegram_server.variables)
    admin = api.member("boss@example.com", Role.ADMIN)
    telegram_server.answer = (403, {"ok": False, "description": "Forbidden: bot was blocked"})
    admin.post(MODE, json={"mode": "sync_direct"})
    figures = wait_until(lambda: (f := admin.get(METRICS).get_json())["telegram"] == "failing" and f, 5)
    assert figures["telegram_detail"] == "Forbidden: bot was blocked"
    assert figures["last_alert_sent_at"] is None
    telegram_server.answer = (200, {"ok": True, "result": {"message_id": 1}})
    figures = wait_until(lambda: (f := admin.get(METRICS).get_json())["telegram"] == "ok" and f, 10)
    assert figures["telegram_detail"] is None
    assert figures["last_alert_sent_at"] is not None


def test_the_log_is_searched_by_its_messages(api: ApiUnderTest, admin: Caller) -> None:
    for message in ("Redis queue failed! 100%", "Redis queue is back", "Something_else"):
        api.resources.health_log.record(Event(EventType.WARNING, message))
    wait_until(lambda: len(admin.get(LOGS).get_json()["logs"]) == 3, 5)
    for q, found in (("redis QUEUE", 2), ("100%25", 1), ("g_e", 1), ("queue_is", 0), ("", 3)):
        assert len(admin.get(f"{LOGS}?q={q}").get_json()["logs"]) == found, q
    assert admin.get(f"{LOGS}?q=redis&limit=1").get_json()["next_before"] is not None


def test_the_log_comes_page_by_page(api: ApiUnderTest, admin: Caller) -> None:
    for number in range(7):
        kind = EventType.ERROR if number % 2 else EventType.INFO
        api.resources.health_log.record(Event(kind, f"event {number}", {"number": number}))
    wait_until(lambda: len(admin.get(LOGS).get_json()["logs"]) == 7, 5)
    seen, path = [], f"{LOGS}?limit=3"
    while path:
        page = admin.get(path).get_json()
        seen.append([one["metadata"]["number"] for one in page["logs"]])
        path = f"{LOGS}?limit=3&before={page['next_before']}" if page["next_before"] else ""
    assert seen == [[6, 5, 4], [3, 2, 1], [0]]
    errors = admin.get(f"{LOGS}?type=ERROR").get_json()["logs"]
    assert [one["metadata"]["number"] for one in errors] == [5, 3, 1]
    assert set(errors[0]) == {"id", "event_type", "message", "metadata", "created_at"}


def test_a_test_alert_needs_telegram(admin: Caller) -> None:
    assert_problem(admin.post("/api/admin/system/alerts/test"), 409)


def test_a_test_alert_brings_telegrams_verdict(
    api_for: Callable[..., ApiUnderTest], telegram_server: TelegramServer
) -> None:
    api = api_for(**telegram_server.variables)
    admin = api.member("boss@example.com", Role.ADMIN)
    answer = admin.post("/api/admin/system/alerts/test")
    assert answer.status_code == 200
    assert answer.get_json()["ok"] is True
    assert telegram_server.texts("SYSTEM ALERT")
    telegram_server.answer = (403, {"ok": False, "description": "Forbidden: bot was blocked"})
    verdict = admin.post("/api/admin/system/alerts/test").get_json()
    assert (verdict["ok"], verdict["status"]) == (False, 403)
    assert "blocked" in verdict["description"]


def test_a_refresh_of_system_health_costs_little_cpu(api: ApiUnderTest, admin: Caller) -> None:
    """What the page asks every 5 seconds, with 50 rows of log: under 20 ms of CPU, the client included."""
    for number in range(50):
        api.resources.health_log.record(Event(EventType.INFO, f"event {number}", {"number": number}))
    wait_until(lambda: len(admin.get(LOGS).get_json()["logs"]) == 50, 5)
    costs = []
    for _ in range(15):
        began = time.process_time()
        for path in ("metrics", "mode", "logs", "incidents", "availability"):
            assert admin.get(f"/api/admin/system/{path}").status_code == 200
        costs.append(time.process_time() - began)
    assert sorted(costs)[len(costs) // 2] < 0.020
