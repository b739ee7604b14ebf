"""PostgreSQL away: one alert past it, by the sweep process; afterwards one incident with its true start, over all."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from deploy.local.postgres import PostgresServer
from tests.resources import Resources
from tests.shared.rows import events, messages, rows
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until
from tripwire_shared.alerts.alert import Alert
from tripwire_shared.alerts.direct_alerts import DirectAlerts, Told
from tripwire_shared.alerts.telegram import TelegramAnswer
from tripwire_shared.events.causes import DATABASE, QUEUE
from tripwire_shared.postgres.database import Database
from tripwire_shared.timings import WATCH_MISSES

NOW = datetime.now(UTC)
ALERT = Alert("CRITICAL", DATABASE.opened, NOW, {"cause": DATABASE.name})


def incidents(database: Database) -> list[tuple[str, bool]]:
    found = rows(database, "SELECT cause, resolved_at IS NOT NULL AS closed FROM incidents ORDER BY id")
    return [(row.cause, row.closed) for row in found]


def test_two_hosts_and_two_api_processes_make_one_alert_one_incident_and_one_resolution(
    own_postgres: PostgresServer,
    resources_for: Callable[..., Resources],
    telegram_server: TelegramServer,
    to_telegram: dict[str, str],
    redis_url: str,
) -> None:
    processes = [
        resources_for(service, database_url=own_postgres.url, **to_telegram)
        for service in ("sweep", "sweep", "api", "api")
    ]
    for process in processes:
        process.start()
    away_at = datetime.now(UTC)
    own_postgres.stop()
    [alert] = wait_until(lambda: telegram_server.texts(DATABASE.opened), 8)
    assert "Type: CRITICAL" in alert
    with Redis.from_url(redis_url) as redis:
        told = wait_until(lambda: {key.decode(): redis.get(key) for key in redis.keys("tripwire:told*")})
    assert told == {"tripwire:told:database unavailable": b"done"}, "a cause, and nothing else"
    time.sleep(3)  # the others have looked several times
    assert len(telegram_server.messages) == 1

    own_postgres.start()
    wait_until(lambda: telegram_server.texts("Type: RESOLVED"), 15)
    database = processes[0].database
    # The API's processes tell later than those that may have alerted.
    time.sleep(4)
    assert incidents(database) == [(DATABASE.name, True)]
    [row] = rows(database, "SELECT * FROM incidents")
    assert abs(row.opened_at - away_at) < timedelta(seconds=2)
    [critical] = events(database, "CRITICAL")
    assert abs(critical.created_at - away_at) < timedelta(seconds=3)
    assert [body["type"] for body in (row.body for row in messages(database, "alert"))] == ["RESOLVED"]
    assert len(telegram_server.messages) == 2


@pytest.mark.parametrize("redis_answers_the_api", [True, False])
def test_an_api_process_that_is_faster_alerts_nothing_that_was_told(
    own_postgres: PostgresServer, resources_for: Callable[..., Resources], telegram_server: TelegramServer,
    to_telegram: dict[str, str], redis_url: str, redis_answers_the_api: bool,
) -> None:  # fmt: skip
    sweep = resources_for("sweep", database_url=own_postgres.url, **to_telegram)
    url = redis_url if redis_answers_the_api else "redis://127.0.0.1:9/0"
    api = resources_for("api", database_url=own_postgres.url, redis_url=url, **to_telegram)
    own_postgres.stop()
    for process in (sweep, api, sweep, api):
        process.watch.look()
    assert len(telegram_server.texts(DATABASE.opened)) == 1
    own_postgres.start()
    assert api.watch.look()
    if not redis_answers_the_api:
        assert (DATABASE.name, False) not in incidents(api.database), "who may have told it has the first word"
    assert sweep.watch.look()
    api.watch.look()
    assert incidents(sweep.database).count((DATABASE.name, False)) == 1
    assert [row.body["message"] for row in messages(sweep.database, "alert")].count(DATABASE.opened) == 0


@pytest.mark.long
def test_api_processes_alone_tell_it_afterwards(
    own_postgres: PostgresServer,
    resources_for: Callable[..., Resources],
    telegram_server: TelegramServer,
    to_telegram: dict[str, str],
) -> None:
    processes = [resources_for("api", database_url=own_postgres.url, **to_telegram) for _ in range(2)]
    for process in processes:
        process.start()
    own_postgres.stop()
    time.sleep(4)
    assert telegram_server.messages == []
    own_postgres.start()
    wait_until(lambda: telegram_server.texts("Type: RESOLVED"), 20)
    assert len(telegram_server.texts(DATABASE.opened)) == 1
    assert incidents(processes[0].database) == [(DATABASE.name, True)]


@pytest.mark.parametrize("told_before", [True, False])
def test_a_queue_that_is_away_too_is_told_once(
    own_postgres: PostgresServer, resources_for: Callable[..., Resources], telegram_server: TelegramServer,
    to_telegram: dict[str, str], told_before: bool,
) -> None:  # fmt: skip
    resources = resources_for(
        "sweep", database_url=own_postgres.url, **{**to_telegram, "redis_url": "redis://127.0.0.1:9/0"}
    )
    if told_before:
        resources.incidents.failed(QUEUE, "ConnectionError")
        resources.alerts.run_once()
        resources.watch.look()
    resources.writer.start()
    own_postgres.stop()
    for _ in range(4):
        resources.watch.look()
    wait_until(lambda: len(telegram_server.messages) == 2, 5)
    assert len(telegram_server.texts(QUEUE.opened)) == len(telegram_server.texts(DATABASE.opened)) == 1
    own_postgres.start()
    resources.watch.look()
    resources.writer.stop(5)
    assert {cause for cause, _ in incidents(resources.database)} == {QUEUE.name, DATABASE.name}


def test_one_failed_look_is_no_outage(
    own_postgres: PostgresServer, resources_for: Callable[..., Resources], telegram_server: TelegramServer,
    to_telegram: dict[str, str],
) -> None:  # fmt: skip
    resources = resources_for("sweep", database_url=own_postgres.url, **to_telegram)
    resources.writer.start()
    own_postgres.stop()
    assert resources.watch.look()
    own_postgres.start()
    assert not resources.watch.look()
    resources.writer.stop(5)
    assert incidents(resources.database) == []
    assert telegram_server.messages == []


def test_what_returns_before_its_end_was_told_is_the_same_and_what_returns_after_it_another(
    own_postgres: PostgresServer, resources_for: Callable[..., Resources], telegram_server: TelegramServer,
    to_telegram: dict[str, str],
) -> None:  # fmt: skip
    sweep = resources_for("sweep", database_url=own_postgres.url, **to_telegram)

    def away() -> None:
        own_postgres.stop()
        for _ in range(WATCH_MISSES + 1):
            sweep.watch.look()
        own_postgres.start()
        sweep.watch.look()

    for outage in (1, 2):
        away()
        away()
        assert len(incidents(sweep.database)) == outage
        assert len(telegram_server.texts(DATABASE.opened)) == outage
        rows(sweep.database, "UPDATE incidents SET last_failure_at = last_failure_at - interval '1 hour'")
        sweep.watch.look()
        wait_until(sweep.alerts.run_once, 5)  # a second after the one before
    kinds = [message.text.partition("Type: ")[2].partition("\n")[0] for message in telegram_server.messages]
    assert kinds == ["CRITICAL", "RESOLVED"] * 2


def test_who_told_it_and_died_leaves_its_end_to_be_told_by_others(
    own_postgres: PostgresServer, resources_for: Callable[..., Resources], telegram_server: TelegramServer,
    to_telegram: dict[str, str],
) -> None:  # fmt: skip
    dead = resources_for("sweep", database_url=own_postgres.url, **to_telegram)
    own_postgres.stop()
    for _ in range(WATCH_MISSES):
        dead.watch.look()
    assert len(telegram_server.texts(DATABASE.opened)) == 1
    own_postgres.start()
    heir = resources_for("sweep", database_url=own_postgres.url, **to_telegram)
    heir.watch.look()
    assert incidents(heir.database) == [(DATABASE.name, False)]
    assert messages(heir.database, "alert") == []
    rows(heir.database, "UPDATE incidents SET last_failure_at = last_failure_at - interval '1 hour'")
    heir.watch.look()
    assert incidents(heir.database) == [(DATABASE.name, True)]
    assert [row.body["type"] for row in messages(heir.database, "alert")] == ["RESOLVED"]
    resources_for("sweep", database_url=own_postgres.url, **to_telegram).watch.look()
    assert len(incidents(heir.database)) == 1, "nothing is owed any more"


class Telegram:
    def __init__(self) -> None:
        self.up = True
        self.retry_after: float | None = None
        self.texts: list[str] = []

    def send(self, text: str) -> TelegramAnswer:
        self.texts.append(text)
        return TelegramAnswer(self.up, 200 if self.up else 429, "", retry_after=self.retry_after)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def telegram() -> Telegram:
    return Telegram()


def test_where_redis_is_away_too_each_host_speaks_for_itself(telegram: Telegram) -> None:
    hosts = [DirectAlerts(Redis.from_url("redis://127.0.0.1:9/0"), telegram.send) for _ in range(2)]
    assert [host.send_once(DATABASE, ALERT) for host in hosts] == [Told.YES, Told.YES]
    assert len(telegram.texts) == 2


def test_what_telegram_did_not_take_is_tried_again_by_any_host_after_growing_pauses(
    telegram: Telegram, redis_url: str
) -> None:
    clock = Clock()
    first, second = (DirectAlerts(Redis.from_url(redis_url), telegram.send, clock) for _ in range(2))
    telegram.up = False
    assert first.send_once(DATABASE, ALERT) is Told.NO
    assert first.send_once(DATABASE, ALERT) is Told.NO
    assert len(telegram.texts) == 1, "after a second"
    telegram.up = True
    assert second.send_once(DATABASE, ALERT) is Told.YES
    clock.now += 2
    assert first.send_once(DATABASE, ALERT) is Told.YES, "the other host has told it"
    assert len(telegram.texts) == 2


def test_nobody_tries_before_the_time_that_telegram_asked_for(telegram: Telegram, redis_url: str) -> None:
    clock = Clock()
    first, second = (DirectAlerts(Redis.from_url(redis_url), telegram.send, clock) for _ in range(2))
    telegram.up, telegram.retry_after = False, 0.4
    assert first.send_once(DATABASE, ALERT) is Told.NO
    telegram.up, telegram.retry_after = True, None
    assert second.send_once(DATABASE, ALERT) is Told.BEING_TOLD
    assert len(telegram.texts) == 1
    wait_until(lambda: second.send_once(DATABASE, ALERT) is Told.YES, 3)
    assert len(telegram.texts) == 2


def test_a_host_that_died_while_it_had_the_turn_does_not_keep_it(telegram: Telegram, redis_url: str) -> None:
    redis = Redis.from_url(redis_url)
    alerts = DirectAlerts(redis, telegram.send)
    redis.set("tripwire:told:database unavailable", "turn", px=300)
    assert alerts.send_once(DATABASE, ALERT) is Told.BEING_TOLD
    wait_until(lambda: alerts.send_once(DATABASE, ALERT) is Told.YES, 3)
    assert len(telegram.texts) == 1


def test_the_next_outage_is_alerted_anew(telegram: Telegram, redis_url: str) -> None:
    alerts = DirectAlerts(Redis.from_url(redis_url), telegram.send)
    for _ in range(2):
        assert alerts.send_once(DATABASE, ALERT) is Told.YES
        alerts.forget(DATABASE)
    assert len(telegram.texts) == 2
