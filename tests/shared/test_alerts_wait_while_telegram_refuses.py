"""Telegram refuses, is silent or gone: alerts wait, in order, are tried again after growing pauses, and it is said."""

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.dripping_server import dripping_server
from tests.resources import Resources
from tests.shared.rows import events, make_due, messages
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until
from tripwire_shared.alerts import telegram
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.event import Event

WELL = (200, {"ok": True, "result": {"message_id": 7}})
REFUSED = (500, {"ok": False, "description": "Internal Server Error"})


def put_alerts(resources: Resources, *texts: str) -> None:
    for text in texts:
        with resources.database.transaction() as connection:
            resources.health_log.record_in(connection, Event(EventType.CRITICAL, text))


def test_the_pauses_grow_up_to_a_minute_and_nothing_is_lost(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    resources = resources_for(**to_telegram)
    telegram_server.answer = REFUSED
    put_alerts(resources, "First", "Second")
    pauses = []
    for _ in range(9):
        assert resources.alerts.run_once() == 1
        pauses.append(round(messages(resources.database, "alert")[0].due_in))
        assert resources.alerts.run_once() == 0, "the head holds the others back"
        make_due(resources.database)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert resources.outbox.waiting().alerts_failing
    assert [row.status for row in messages(resources.database, "alert")] == ["pending", "pending"]

    telegram_server.answer = WELL
    resources.alerts.start()
    wait_until(lambda: len(telegram_server.messages) == 2, 5)
    assert ["First" in telegram_server.messages[0].text, "Second" in telegram_server.messages[1].text] == [True, True]
    wait_until(lambda: resources.outbox.waiting().alerts == 0)
    assert not resources.outbox.waiting().alerts_failing


def test_it_is_said_once(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    resources = resources_for(**to_telegram)
    telegram_server.answer = REFUSED
    put_alerts(resources, "First")
    for _ in range(3):
        resources.alerts.run_once()
        make_due(resources.database)
    resources.writer.start()
    resources.writer.stop(5)
    said = events(resources.database, "WARNING")
    assert [event.metadata["reason"] for event in said] == ["Internal Server Error"]


def test_retry_after_is_honoured(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    resources = resources_for(**to_telegram)
    telegram_server.answer = (429, {"ok": False, "description": "Too Many", "parameters": {"retry_after": 31}})
    put_alerts(resources, "First", "Second")
    resources.alerts.run_once()
    assert 29 < messages(resources.database, "alert")[0].due_in <= 31
    assert resources.alerts.run_once() == 0


def test_nobody_in_the_process_calls_before_the_time_that_was_asked_for(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    sweep = resources_for("sweep", **to_telegram)
    telegram_server.answer = (429, {"ok": False, "description": "Too Many", "parameters": {"retry_after": 1}})
    put_alerts(sweep, "First")
    sweep.alerts.run_once()
    telegram_server.answer = WELL
    happened = Event(EventType.CRITICAL, "Past PostgreSQL")
    assert not sweep.health_log.send_directly(happened, datetime.now(UTC))
    assert telegram_server.calls == 1
    wait_until(lambda: sweep.health_log.send_directly(happened, datetime.now(UTC)), 3)
    assert telegram_server.calls == 2


@pytest.mark.parametrize("asked", [float("inf"), float("nan"), "soon", -5, None])
def test_an_absurd_retry_after_does_not_hold_up_the_line(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str], asked: object
) -> None:
    resources = resources_for(**to_telegram)
    telegram_server.answer = (429, {"ok": False, "parameters": {"retry_after": asked}})
    put_alerts(resources, "First")
    resources.alerts.run_once()
    assert 0 < messages(resources.database, "alert")[0].due_in <= 1


def test_a_silent_telegram_is_given_up_in_time(
    resources_for: Callable[..., Resources], to_telegram: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram, "TELEGRAM_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        resources = resources_for(**{**to_telegram, "telegram_api_url": url})
        put_alerts(resources, "First")
        resources.alerts.run_once()
    row = messages(resources.database, "alert")[0]
    assert (row.status, row.last_error) == ("pending", "Telegram cannot be reached (ReadTimeout).")


def test_a_telegram_that_drips_its_answer_is_given_up_in_time(
    resources_for: Callable[..., Resources], to_telegram: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes within the limit of one read."""
    monkeypatch.setattr(telegram, "TELEGRAM_TOTAL", 0.5)
    with dripping_server() as host:
        resources = resources_for(**{**to_telegram, "telegram_api_url": f"http://{host}"})
        put_alerts(resources, "First")
        began = time.monotonic()
        resources.alerts.run_once()
        assert time.monotonic() - began < 3
    row = messages(resources.database, "alert")[0]
    assert (row.status, row.last_error) == ("pending", "Telegram cannot be reached (TookTooLong).")


def test_a_page_of_a_proxy_is_no_success(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    telegram_server.answer = (200, {"hello": "captive portal"})
    verdict = resources_for("api", **to_telegram).telegram.send("text")
    assert (verdict.ok, verdict.status, verdict.description) == (False, 200, "Telegram answered 200.")


def test_the_verdict_of_a_test_alert_is_telegrams(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    telegram_server.answer = WELL
    verdict = resources_for("api", **to_telegram).telegram.send("text")
    assert (verdict.ok, verdict.status, verdict.message_id) == (True, 200, 7)
