"""However many processes see the queue fail: one incident, one CRITICAL, one alert; then one RESOLVED with figures."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.resources import Resources
from tests.shared.rows import events, messages, provisioned, rows
from tests.waiting import wait_until
from tripwire_shared.events.causes import CAUSES, QUEUE, Cause
from tripwire_shared.incidents.incidents import Incidents

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


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.name)
def test_what_fails_after_its_end_was_told_is_another_outage(
    resources_for: Callable[..., Resources], cause: Cause
) -> None:
    one, other = resources_for("api"), resources_for("sweep")
    for _ in range(2):
        assert one.incidents.failed(cause, "ConnectionError")
        assert not other.incidents.failed(cause, "ConnectionError")
        as_if_quiet(one)
        assert other.incidents.resolve(cause)
        assert not one.incidents.resolve(cause)
    assert len(rows(one.database, "SELECT 1 FROM incidents")) == 2
    assert [event.message for event in events(one.database, cause.opening)] == [cause.opened] * 2
    assert alerts(one) == (["CRITICAL", "RESOLVED"] * 2 if cause.alerts else [])


def test_it_is_over_when_it_was_quiet_for_five_seconds(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for("api")
    resources.incidents.failed(QUEUE, "ConnectionError")
    rows(resources.database, "UPDATE incidents SET last_failure_at = now() - interval '4.5 s'")
    assert not resources.incidents.resolve(QUEUE)
    rows(resources.database, "UPDATE incidents SET last_failure_at = now() - interval '5 s'")
    assert resources.incidents.resolve(QUEUE)


def test_what_was_seen_before_the_end_and_is_told_after_it_opens_nothing(
    resources_for: Callable[..., Resources],
) -> None:
    resources = resources_for("api")
    resources.incidents.failed(QUEUE, "ConnectionError")
    # Seen by another, which cannot write it yet.
    resources.incidents.failed_soon(QUEUE, "TimeoutError")
    as_if_quiet(resources)
    assert resources.incidents.resolve(QUEUE)
    resources.writer.start()
    resources.writer.stop(5)
    assert resources.incidents.open_now() == []
    assert alerts(resources) == ["CRITICAL", "RESOLVED"]
    # And it is not taken for one of the outage after that.
    assert resources.incidents.failed(QUEUE, "ConnectionError")
    opened = rows(resources.database, "SELECT opened_at FROM incidents WHERE resolved_at IS NULL")
    assert not resources.incidents.failed(QUEUE, "TimeoutError", ago=3600)
    assert rows(resources.database, "SELECT opened_at FROM incidents WHERE resolved_at IS NULL") == opened


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
