"""Requests that used up their attempts: an event for each; the first alert at once, then one a minute."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

from tests.resources import Resources
from tests.shared.rows import as_if_a_minute_passed, events, messages
from tests.telegram_server import TelegramServer
from tripwire_shared.outbox.outbox import Channel


def fail(resources: Resources, count: int) -> list[UUID]:
    ids = [uuid4() for _ in range(count)]

    def record(request_id: UUID) -> None:
        with resources.database.transaction() as connection:
            resources.incidents.request_failed(connection, request_id, 3, "The database refused.")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(record, ids))
    return ids


def test_one_alert_at_once_and_one_for_the_rest(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    resources = resources_for("api", **to_telegram)
    ids = fail(resources, 6)
    assert {event.metadata["request_id"] for event in events(resources.database, "CRITICAL")} == set(map(str, ids))

    first, rest = messages(resources.database, "alert")
    assert first.ready_in <= 0
    assert 55 < rest.ready_in <= 60
    assert resources.alerts.run_once() == 1
    as_if_a_minute_passed(resources.database)
    assert resources.alerts.run_once() == 1
    assert "requests: 1" in telegram_server.messages[0].text
    assert "requests: 5" in telegram_server.messages[1].text


def test_what_fails_while_the_alert_is_on_its_way_is_in_the_next_one(
    resources_for: Callable[..., Resources], to_telegram: dict[str, str]
) -> None:
    resources = resources_for("api", **to_telegram)
    fail(resources, 3)
    resources.alerts.run_once()
    as_if_a_minute_passed(resources.database)
    [underway] = resources.outbox.lease(Channel.ALERT).messages
    assert underway.body["details"]["requests"] == 2
    fail(resources, 2)
    resources.outbox.mark_sent([underway])
    waiting = [row for row in messages(resources.database, "alert") if row.status == "pending"]
    assert sum(row.body["details"]["requests"] for row in waiting) == 2
