"""PostgreSQL away: events wait in memory; a CRITICAL alert goes out past it, once, whatever waits before it.
Incidents have a line of their own."""

import itertools
import time
from collections.abc import Callable

from deploy.local.postgres import PostgresServer
from tests.resources import Resources
from tests.shared.rows import events, messages
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.causes import DATABASE, QUEUE
from tripwire_shared.events.event import Event


def test_the_alert_goes_out_from_memory_and_the_events_come_later(
    own_postgres: PostgresServer,
    resources_for: Callable[..., Resources],
    telegram_server: TelegramServer,
    to_telegram: dict[str, str],
) -> None:
    resources = resources_for(database_url=own_postgres.url, **to_telegram)
    resources.start()
    own_postgres.stop()
    resources.health_log.record(Event(EventType.INFO, "This one is stuck before the others"))
    resources.health_log.record(Event(EventType.CRITICAL, "It failed"))
    resources.incidents.failed_soon(QUEUE, "ConnectionError")
    wait_until(lambda: len(telegram_server.messages) == 3, 8)
    away_until = time.time()

    own_postgres.start()
    wait_until(lambda: len(telegram_server.texts("Type: RESOLVED")) == 2, 20)
    critical = events(resources.database, "CRITICAL")
    assert {event.message for event in critical} == {"It failed", QUEUE.opened, DATABASE.opened}
    assert len(critical) == 3
    assert all(event.created_at.timestamp() < away_until for event in critical), "when it happened, not when written"
    for message in ("It failed", QUEUE.opened, DATABASE.opened):
        assert len(telegram_server.texts(message)) == 1
    stored = {row.body["type"] for row in messages(resources.database, "alert")}
    assert stored == {"RESOLVED"}, "the others were out"
    gaps = [b.at - a.at for a, b in itertools.pairwise(telegram_server.messages)]
    assert min(gaps) > 0.9, "at most one a second"


def test_what_telegram_did_not_take_either_is_stored_for_later(
    own_postgres: PostgresServer,
    resources_for: Callable[..., Resources],
    telegram_server: TelegramServer,
    to_telegram: dict[str, str],
) -> None:
    resources = resources_for(database_url=own_postgres.url, **to_telegram)
    resources.start()
    own_postgres.stop()
    telegram_server.answer = (500, {"ok": False})
    resources.health_log.record(Event(EventType.CRITICAL, "It failed"))
    wait_until(lambda: telegram_server.calls == 1, 5)
    telegram_server.answer = (200, {"ok": True})
    own_postgres.start()
    wait_until(lambda: telegram_server.texts("It failed"), 10)
    assert len(telegram_server.texts("It failed")) == 1
