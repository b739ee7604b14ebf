"""Causes without a failed call: mails, alerts, requests, and work that nobody takes up; and how each incident ends."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis

from tests.resources import Resources
from tests.shared.rows import as_if_a_minute_passed, events, messages, provisioned, rows
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until
from tripwire_shared.alerts.direct_alerts import DirectAlerts
from tripwire_shared.answers.vocabulary import BreakerState, EventType
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.events.causes import ALERTS, CAUSES, MAIL, QUEUE, REQUESTS, WORKER
from tripwire_shared.events.event import Event
from tripwire_shared.incidents.watch import Watch
from tripwire_shared.outbox.outbox import Channel


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FineQueue:
    def trouble(self) -> str | None:
        return None

    def answers(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def resources(resources_for: Callable[..., Resources], to_telegram: dict[str, str]) -> Resources:
    return resources_for(**to_telegram)


@pytest.fixture
def watch(resources: Resources, clock: Clock, redis_url: str) -> Watch:
    direct = DirectAlerts(Redis.from_url(redis_url), send=None)
    return Watch(
        resources.database, resources.incidents, FineQueue(), direct, head_start=5.0, interval=1.0, clock=clock
    )


def is_open(resources: Resources) -> list[str]:
    return [incident.cause for incident in resources.incidents.open_now()]


def as_if_quiet(resources: Resources) -> None:
    rows(resources.database, "UPDATE incidents SET last_failure_at = last_failure_at - interval '1 hour'")


def fail_mail(resources: Resources, *, seconds_ago: float = 0) -> None:
    [message] = resources.outbox.lease(Channel.MAIL).messages
    resources.outbox.put_off(message, 300, "The mail server did not take it (ConnectionRefusedError).")
    rows(
        resources.database,
        "UPDATE outbox SET failing_since = failing_since - make_interval(secs => %s) WHERE id = %s",
        seconds_ago,
        message.id,
    )


def send_mail(resources: Resources) -> None:
    [message] = resources.outbox.lease(Channel.MAIL).messages
    resources.outbox.mark_sent([message])


def accepted(resources: Resources, *, seconds_ago: float, **columns: Any) -> UUID:
    staff_id, request_id = uuid4(), uuid4()
    rows(
        resources.database,
        "INSERT INTO staff (id, email, full_name, role) VALUES (%s, %s, 'Dana', 'sales')",
        staff_id,
        f"{staff_id}@example.com",
    )
    rows(
        resources.database,
        "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, mode, answer, attempts,"
        " accepted_at, due_at) VALUES (%s, %s, 'Anna', 1, 'KZT', %s, 'async', 202, %s,"
        " now() - make_interval(secs => %s), now() - make_interval(secs => %s))",
        request_id,
        f"{request_id}@example.com",
        staff_id,
        columns.get("attempts", 0),
        seconds_ago,
        columns.get("due_ago", seconds_ago - 5),
    )
    return request_id


def test_two_failing_mails_are_an_incident_without_an_alert_that_ends_with_the_next_mail(
    resources: Resources, watch: Watch
) -> None:
    for name in ("anna", "boris", "clara"):
        provisioned(resources, f"{name}@example.com")
    fail_mail(resources)
    watch.look()
    assert is_open(resources) == [], "one mail, just now"
    fail_mail(resources)
    for _ in range(3):
        assert watch.look()
    assert is_open(resources) == ["mail failing"]
    [event] = events(resources.database, "WARNING")
    assert event.message == MAIL.opened
    assert "ConnectionRefusedError" in event.metadata["reason"]
    assert messages(resources.database, "alert") == []

    as_if_quiet(resources)
    watch.look()
    assert is_open(resources) == ["mail failing"], "it goes on"
    send_mail(resources)
    as_if_quiet(resources)
    watch.look()
    assert is_open(resources) == []
    assert [event.message for event in events(resources.database, "INFO")] == [MAIL.resolved]


def test_one_mail_alone_is_an_incident_when_it_lasts(resources: Resources, watch: Watch) -> None:
    provisioned(resources)
    fail_mail(resources, seconds_ago=5)
    watch.look()
    assert is_open(resources) == ["mail failing"]


def test_one_refused_address_among_good_ones_is_none(resources: Resources, watch: Watch) -> None:
    provisioned(resources, "no-such-box@example.com")
    fail_mail(resources, seconds_ago=60)
    provisioned(resources, "boris@example.com")
    send_mail(resources)
    watch.look()
    assert is_open(resources) == []


def test_a_silent_telegram_is_an_incident_until_it_has_taken_what_waited(
    resources: Resources, watch: Watch, telegram_server: TelegramServer
) -> None:
    resources.writer.start()
    telegram_server.answer = (500, {"ok": False})
    with resources.database.transaction() as connection:
        resources.health_log.record_in(connection, Event(EventType.CRITICAL, "It failed"))
    resources.alerts.run_once()
    wait_until(lambda: is_open(resources) == [ALERTS.name])
    as_if_quiet(resources)
    watch.look()
    assert is_open(resources) == [ALERTS.name], "the alert still waits"

    telegram_server.answer = (200, {"ok": True})
    rows(resources.database, "UPDATE outbox SET due_at = now()")
    resources.alerts.run_once()
    as_if_quiet(resources)
    watch.look()
    assert is_open(resources) == []
    assert [event.message for event in events(resources.database, "WARNING")] == [ALERTS.opened]
    assert len(messages(resources.database, "alert")) == 1, "its end is no alert"


def test_a_minute_without_a_worker_is_critical(resources: Resources, watch: Watch, clock: Clock) -> None:
    accepted(resources, seconds_ago=54)
    watch.look()
    clock.now += 10
    watch.look()
    assert is_open(resources) == []
    rows(resources.database, "UPDATE provisioning_requests SET accepted_at = accepted_at - interval '2 s'")
    rows(resources.database, "UPDATE provisioning_requests SET due_at = accepted_at + interval '5 s'")
    watch.look()
    assert is_open(resources) == [], "after an outage of PostgreSQL all requests are that old: it must last"
    clock.now += 5
    watch.look()
    assert is_open(resources) == [WORKER.name]
    assert [event.message for event in events(resources.database, "CRITICAL")] == [WORKER.opened]

    rows(resources.database, "UPDATE provisioning_requests SET attempts = 1, due_at = now() + interval '5 s'")
    as_if_quiet(resources)
    watch.look()
    assert is_open(resources) == []
    assert [row.body["type"] for row in messages(resources.database, "alert")] == ["CRITICAL", "RESOLVED"]


@pytest.mark.parametrize(
    "busy",
    [
        "INSERT INTO system_config (key, value) VALUES ('unused', '')",  # nobody at work: the counter-check
        "UPDATE provisioning_requests SET attempts = 1, due_at = now() + interval '4 s' WHERE id = %s",
        "UPDATE provisioning_requests SET status = 'failed', finished_at = now() WHERE id = %s",
    ],
)
def test_a_backlog_that_is_worked_off_is_no_absence(
    resources: Resources, watch: Watch, clock: Clock, busy: str
) -> None:
    accepted(resources, seconds_ago=300)
    other = accepted(resources, seconds_ago=200)
    rows(resources.database, busy, *([other] if "%s" in busy else []))
    watch.look()
    clock.now += 10
    watch.look()
    assert is_open(resources) == ([] if "%s" in busy else [WORKER.name])


def test_what_an_admin_just_retried_has_not_waited_since_it_came_in(
    resources: Resources, watch: Watch, clock: Clock
) -> None:
    accepted(resources, seconds_ago=7200, due_ago=1)
    watch.look()
    clock.now += 10
    watch.look()
    assert is_open(resources) == []


def test_a_thousand_failing_requests_make_an_alert_a_sum_and_a_resolution(
    resources: Resources, watch: Watch, telegram_server: TelegramServer
) -> None:
    def fail(_: int) -> None:
        with resources.database.transaction() as connection:
            resources.incidents.request_failed(connection, uuid4(), 3, "The database refused.")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fail, range(1000)))
    assert is_open(resources) == [REQUESTS.name]
    watch.look()
    assert is_open(resources) == [REQUESTS.name], "minutes may pass between two of them"

    as_if_a_minute_passed(resources.database)
    rows(resources.database, "UPDATE incidents SET last_failure_at = last_failure_at - interval '121 s'")
    with ThreadPoolExecutor(4) as pool:  # as many processes would
        list(pool.map(lambda _: watch.look(), range(4)))
    assert is_open(resources) == []
    for _ in range(6):
        resources.alerts.run_once()
        rows(resources.database, "UPDATE outbox SET finished_at = finished_at - interval '2 s'")
    first, total, resolved = [message.text for message in telegram_server.messages]
    assert "Type: CRITICAL" in first
    assert "requests: 1\n" in first + "\n"
    assert "Type: CRITICAL" in total
    assert "requests: 999\n" in total + "\n"
    assert "Type: RESOLVED" in resolved
    assert "requests_failed: 1000\n" in resolved + "\n"
    [row] = rows(resources.database, "SELECT * FROM incidents")
    assert (row.cause, row.requests_failed, row.served_directly) == ("requests failing", 1000, None)


def test_a_queue_incident_keeps_how_many_were_served_and_how_slowly(resources: Resources, watch: Watch) -> None:
    resources.incidents.failed(QUEUE, "TimeoutError")
    for name, took in (("anna", 0.4), ("boris", 1.25)):
        one = provisioned(resources, f"{name}@example.com", mode="fallback", answer=201)
        rows(
            resources.database,
            "UPDATE provisioning_requests SET finished_at = accepted_at + make_interval(secs => %s) WHERE id = %s",
            took,
            one.request_id,
        )
    [still] = resources.incidents.open_now()
    assert (still.served_synchronously, still.slowest_seconds) == (2, 1.25)
    as_if_quiet(resources)
    watch.look()
    [row] = rows(resources.database, "SELECT * FROM incidents")
    assert (row.served_directly, row.slowest_seconds, row.requests_failed) == (2, 1.25, None)


def test_an_incident_whose_witness_died_is_closed_only_when_the_queue_is_seen_to_work(
    resources_for: Callable[..., Resources],
) -> None:
    witness = resources_for("api")
    witness.incidents.failed(QUEUE, "ConnectionError")
    as_if_quiet(witness)
    heir = resources_for("api", redis_url="redis://127.0.0.1:9/0")
    heir.watch.look()
    assert is_open(heir) == [QUEUE.name], "quiet, but nobody has seen it work"
    assert heir.breaker.state is BreakerState.OPEN
    heir.watch.look()
    resources_for("api").watch.look()
    assert is_open(heir) == [QUEUE.name], "the heir has seen it fail a moment ago"
    as_if_quiet(heir)
    resources_for("api").watch.look()
    assert is_open(heir) == []


def test_the_gravest_incident_comes_first(resources: Resources) -> None:
    for cause in reversed(CAUSES.values()):
        resources.incidents.failed(cause, "a test")
    assert is_open(resources) == list(CAUSES)


LISTENERS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'tripwire-api-listener' AND datname = current_database()"
)


def test_the_watch_of_an_api_process_looks_at_once_when_queue_or_database_fail_it(
    resources_for: Callable[..., Resources], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While all is well it looks each five seconds."""
    api, looked = resources_for("api", redis_url="redis://127.0.0.1:9/0"), Flag()
    monkeypatch.setattr(api.watch, "look", looked.set)
    api.wakeups.start()
    api.watch.start()
    [listener] = wait_until(lambda: rows(api.database, LISTENERS) if api.mode_store.receipts() else None, 5)
    assert looked.wait(5), "at its start"
    looked.clear()
    with pytest.raises(QueueUnavailable):
        api.breaker.call(api.request_queue.ping)
    assert looked.wait(1)
    looked.clear()
    rows(api.database, "SELECT pg_terminate_backend(%s)", listener.pid)
    assert looked.wait(1)
