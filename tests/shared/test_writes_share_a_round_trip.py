"""Writes whose results nobody needs go to PostgreSQL together: what that means for whoever makes them."""

from collections.abc import Callable

import psycopg2.errors
import pytest

from tests.resources import Resources
from tests.shared.rows import rows
from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.database import Connection
from tripwire_shared.health.event import Event, EventType
from tripwire_shared.round_trip import one_round_trip

STRANGE = "100% of O'Brien's; -- :name %s \\ \u017e"


def test_they_arrive_at_the_end_and_as_they_are(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for()
    with resources.database.transaction() as connection:
        with one_round_trip(connection) as writes:
            resources.health_log.record_in(writes, Event(EventType.INFO, STRANGE, {"said": STRANGE}))
            ActivityLog().write(writes, Action.CUSTOMER_CREATED, None, detail={"said": STRANGE})
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM system_health_logs")
                assert cursor.fetchone() == (0,)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM system_health_logs")
            assert cursor.fetchone() == (1,)
    [event] = resources.health_log.latest(10)
    assert (event.message, event.metadata) == (STRANGE, {"said": STRANGE})
    [activity] = rows(resources.database, "SELECT detail FROM sales_activity_log")
    assert activity.detail == {"said": STRANGE}


def _write(resources: Resources, *steps: Callable[[Connection], object]) -> None:
    with resources.database.transaction() as connection, one_round_trip(connection) as writes:
        for step in steps:
            step(writes)


def _event(resources: Resources, type: str) -> Callable[[Connection], object]:
    return lambda writes: resources.health_log.record_in(writes, Event(type, "said"))  # type: ignore[arg-type]


def _asks_back(resources: Resources) -> Callable[[Connection], object]:
    return lambda writes: resources.outbox.put_alert_merged(writes, {"details": {}}, "requests")


def test_one_that_is_refused_takes_all_with_it(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for()
    with pytest.raises(psycopg2.errors.CheckViolation):
        _write(resources, _event(resources, "INFO"), _event(resources, "NONSENSE"), _event(resources, "INFO"))
    assert resources.health_log.latest(10) == []


def test_a_query_that_asks_something_back_fails_and_none_is_sent(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for()
    with pytest.raises(AttributeError, match="fetchone"):
        _write(resources, _event(resources, "INFO"), _asks_back(resources))
    assert resources.health_log.latest(10) == []
