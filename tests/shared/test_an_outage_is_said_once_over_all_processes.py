"""However many processes see the queue fail: one incident, one CRITICAL, one alert; then one RESOLVED with figures."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.resources import Resources
from tests.shared.rows import events, messages, provisioned, rows
from tests.waiting import wait_until
from tripwire_shared.health.causes import QUEUE
from tripwire_shared.health.incident import Incidents

CRITICAL = "Redis queue failed! Auto-fallback to sync mode"


def as_if_quiet(resources: Resources) -> None:
    rows(resources.database, "UPDATE incidents SET last_failure_at = last_failure_at - interval '1 hour'")


def alerts(resources: Resources) -> list[str]:
    return [row.body["type"] for row in messages(resources.database, "alert")]


def test_one_process_opens_it_and_one_closes_it(resources_for: Callable[..., Resources]) -> None:
    processes = [resources_for("api") for _ in range(4)]
    first = processes[0]

    def fail(incidents: Incidents) -> bool:
        return incidents.failed(QUEUE, "ConnectionError")

    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(fail, [process.incidents for process in processes] * 2))
    assert opened.count(True) == 1
    assert [event.message for event in events(first.database, "CRITICAL")] == [CRITICAL]
    assert alerts(first) == ["CRITICAL"]
    assert [incident.cause for incident in first.incidents.open_now()] == ["queue unavailable"]

    provisioned(first, "anna@example.com", mode="fallback", answer=201)
    provisioned(first, "boris@example.com", mode="fallback", answer=202)
    provisioned(first, "clara@example.com", mode="sync", answer=201)
    assert not first.incidents.resolve(QUEUE), "a failure was seen moments ago"
    as_if_quiet(first)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda process: process.incidents.resolve(QUEUE), processes)).count(True) == 1
    assert alerts(first) == ["CRITICAL", "RESOLVED"]
    [resolved] = events(first.database, "INFO")
    assert resolved.metadata["requests_served_synchronously"] == 1
    assert resolved.metadata["duration_seconds"] >= 0
    assert messages(first.database, "alert")[1].body["details"]["duration_seconds"] >= 0
    assert first.incidents.open_now() == []


def test_an_outage_that_comes_back_at_once_is_the_same_one(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for("api")
    assert resources.incidents.failed(QUEUE, "ConnectionError")
    as_if_quiet(resources)
    assert resources.incidents.resolve(QUEUE)
    assert not resources.incidents.failed(QUEUE, "ConnectionError")
    assert len(resources.incidents.open_now()) == 1
    assert len(events(resources.database, "CRITICAL")) == 1


def test_a_later_outage_is_another_one(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for("api")
    assert resources.incidents.failed(QUEUE, "ConnectionError")
    as_if_quiet(resources)
    assert resources.incidents.resolve(QUEUE)
    rows(resources.database, "UPDATE incidents SET resolved_at = now() - interval '11 seconds'")
    assert resources.incidents.failed(QUEUE, "TimeoutError")
    assert len(events(resources.database, "CRITICAL")) == 2


def test_who_still_sees_failures_reopens_what_another_closed(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for("api")
    resources.incidents.failed(QUEUE, "ConnectionError")
    as_if_quiet(resources)
    assert resources.incidents.resolve(QUEUE)
    assert not resources.incidents.failed(QUEUE, "ConnectionError")
    assert len(resources.incidents.open_now()) == 1
    assert not resources.incidents.resolve(QUEUE)


def test_a_process_that_begins_during_an_outage_does_not_end_it(resources_for: Callable[..., Resources]) -> None:
    resources_for("api").incidents.failed(QUEUE, "ConnectionError")
    newcomer = resources_for("api", redis_url="redis://127.0.0.1:9/0")
    as_if_quiet(newcomer)
    newcomer.start()
    # Its own probes go on for longer than the quiet that would close the incident.
    seen = "SELECT 1 FROM incidents WHERE last_failure_at > opened_at + interval '3.5 seconds' AND resolved_at IS NULL"
    wait_until(lambda: rows(newcomer.database, seen), 8)
    assert "RESOLVED" not in alerts(newcomer)


def test_a_process_that_begins_after_an_outage_ends_it(resources_for: Callable[..., Resources]) -> None:
    resources_for("api").incidents.failed(QUEUE, "ConnectionError")
    newcomer = resources_for("api")
    as_if_quiet(newcomer)
    newcomer.start()
    wait_until(lambda: "RESOLVED" in alerts(newcomer), 5)
