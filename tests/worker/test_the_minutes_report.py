"""What was provisioned is said once a minute, over all sweep processes; minutes of which nobody saw the end are not."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.resources import Resources
from tests.worker.conftest import rows
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.metrics.measured_minutes import MeasuredMinutes, Minute
from tripwire_shared.postgres.database import Database
from tripwire_worker.minute_report import MinuteReport, minute_event

MINUTE = timedelta(minutes=1)


@pytest.fixture
def resources(build: Callable[..., Resources]) -> Resources:
    return build()


def report(resources: Resources, watched: float) -> MinuteReport:
    """Of a process that has been there for `watched` seconds."""
    made = MinuteReport(resources.database, resources.measured_minutes, resources.health_log)
    made._watched_since = time.monotonic() - watched
    return made


def ended(database: Database) -> datetime:
    """When the last minute began that is over."""
    [row] = rows(database, "SELECT date_trunc('minute', now() - interval '5 s') - interval '1 min' AS at")
    at: datetime = row.at
    return at


def finished(database: Database, staff_id: UUID, at: datetime, took: float, mode: str, status: str) -> None:
    rows(
        database,
        "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, due_at,"
        " user_id, accepted_at, finished_at) VALUES (%s, %s, 'Anna', 1, 'KZT', %s, %s, %s, now(), %s, %s, %s)",
        uuid4(), f"{uuid4()}@example.com", staff_id, status, mode, uuid4() if status == "provisioned" else None,
        at - timedelta(seconds=took), at,
    )  # fmt: skip


def minutes(database: Database) -> list[datetime]:
    return [row.minute for row in rows(database, "SELECT minute FROM measured_minutes ORDER BY minute")]


def events(database: Database) -> list[Any]:
    return rows(database, "SELECT event_type, message, metadata FROM system_health_logs ORDER BY id")


def test_a_minute_with_customers_is_one_line(resources: Resources, staff_id: UUID) -> None:
    database = resources.database
    last = ended(database)
    for seconds in range(20):
        finished(database, staff_id, last + timedelta(seconds=seconds), 1 + seconds, "async", "provisioned")
    finished(database, staff_id, last + timedelta(seconds=59.999), 30, "fallback", "provisioned")
    finished(database, staff_id, last, 90, "async", "failed")
    finished(database, staff_id, last, 90, "sync", "duplicate")
    finished(database, staff_id, last - timedelta(seconds=0.001), 1, "async", "provisioned")  # the minute before
    finished(database, staff_id, last + MINUTE, 1, "async", "provisioned")  # the minute we are in

    report(resources, 60).run_once()

    assert minutes(database) in ([last], [last - MINUTE, last])  # 60 s may begin in the minute before
    line = events(database)[-1]
    assert (line.event_type, line.message) == ("INFO", "Provisioned 21 customers in the last minute, 1 request failed")
    assert line.metadata == {
        "minute": last.isoformat(), "async": 20, "sync": 0, "fallback": 1, "failed": 1, "p50": 11.0, "p95": 20.0,
    }  # fmt: skip


def test_a_minute_in_which_nothing_happened_is_measured_and_not_told(resources: Resources, staff_id: UUID) -> None:
    finished(resources.database, staff_id, ended(resources.database), 1, "async", "duplicate")
    report(resources, 180).run_once()
    assert len(minutes(resources.database)) >= 3
    assert events(resources.database) == []


def test_processes_that_report_at_once_tell_each_minute_once(build: Callable[..., Resources], staff_id: UUID) -> None:
    processes = [build() for _ in range(4)]
    database = processes[0].database
    for back in range(5):
        finished(database, staff_id, ended(database) - back * MINUTE, 1, "async", "provisioned")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda process: report(process, 400).run_once(), processes))
    told = [line.metadata["minute"] for line in events(database)]
    assert len(told) == len(set(told)) == 5


def test_a_process_that_has_just_begun_saw_the_end_of_no_minute(resources: Resources) -> None:
    next_in = report(resources, 0).run_once()
    assert minutes(resources.database) == []
    assert 0 < next_in <= 60


def test_minutes_that_ended_while_postgresql_was_away_are_caught_up(
    resources: Resources, staff_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = resources.database
    last = ended(database)
    finished(database, staff_id, last - 3 * MINUTE, 2, "sync", "provisioned")
    waits = report(resources, 300)
    with monkeypatch.context() as away:

        def refuse(*_: object) -> None:
            raise DatabaseUnavailable

        away.setattr(MeasuredMinutes, "measure", refuse)
        with pytest.raises(DatabaseUnavailable):
            waits.run_once()
    assert minutes(database) == []

    waits.run_once()

    seen = minutes(database)
    assert seen[-5:] == [last - back * MINUTE for back in (4, 3, 2, 1, 0)]
    [line] = events(database)
    assert line.message == f"Provisioned 1 customer in the minute of {last - 3 * MINUTE:%H:%M} UTC"
    assert line.metadata["minute"] == (last - 3 * MINUTE).isoformat()


def test_an_event_that_cannot_be_written_leaves_its_minute_unmeasured(
    resources: Resources, staff_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(resources.database, staff_id, ended(resources.database), 2, "async", "provisioned")
    tells = report(resources, 60)
    with monkeypatch.context() as broken:

        def refuse(*_: object) -> None:
            raise DatabaseUnavailable

        broken.setattr(type(resources.health_log), "record_in", refuse)
        with pytest.raises(DatabaseUnavailable):
            tells.run_once()
    assert minutes(resources.database) == []
    tells.run_once()
    assert len(events(resources.database)) == 1


def test_what_was_reported_is_not_looked_at_again(resources: Resources, staff_id: UUID) -> None:
    """Also after its minute was removed, past its retention."""
    finished(resources.database, staff_id, ended(resources.database) - MINUTE, 2, "async", "provisioned")
    tells = report(resources, 300)
    tells.run_once()
    rows(resources.database, "DELETE FROM measured_minutes")
    tells.run_once()
    assert len(minutes(resources.database)) <= 1  # where another minute has ended meanwhile
    assert len(events(resources.database)) == 1


def test_a_long_absence_is_caught_up_within_what_is_kept(resources: Resources) -> None:
    report(resources, 30 * 86_400).run_once()
    assert 8 * 1440 <= len(minutes(resources.database)) <= 8 * 1440 + 1


def test_failures_alone_are_told_too() -> None:
    minute = Minute(datetime(2026, 11, 24, 14, 3, tzinfo=UTC), True, 0, 0, 0, 2, None, None)
    event = minute_event(minute)
    assert event.message == "Provisioned 0 customers in the last minute, 2 requests failed"
    assert (event.metadata["p50"], event.metadata["p95"]) == (None, None)
