"""A Telegram group that became a supergroup has a new id: alerts go there at once, however they are sent, it is said
once over all processes, and remembered until another chat is configured."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.resources import Resources
from tests.shared.rows import events, messages, rows
from tests.telegram_server import TelegramServer
from tripwire_shared.alerts.alert import Alert
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.causes import DATABASE
from tripwire_shared.events.event import Event

OLD, NEW, NEWER = "42", -1001234567890, -1009876543210
MOVED = f"Telegram's group became a supergroup: set TELEGRAM_ADMIN_CHAT_ID to {NEW}"
SAID = "SELECT value FROM system_config WHERE key = 'telegram_chat_moved'"


@pytest.fixture
def supergroup(telegram_server: TelegramServer) -> TelegramServer:
    telegram_server.moved[OLD] = NEW
    return telegram_server


def chats(server: TelegramServer) -> list[str]:
    return [message.chat_id for message in server.messages]


def alert(resources: Resources) -> None:
    with resources.database.transaction() as connection:
        resources.health_log.record_in(connection, Event(EventType.CRITICAL, "It failed"))
    assert resources.alerts.run_once() == 1


def write(*processes: Resources) -> None:
    for process in processes:
        process.writer.start()
        process.writer.stop(5)


def test_an_alert_of_the_outbox_goes_there_in_the_same_try(
    resources_for: Callable[..., Resources], supergroup: TelegramServer, to_telegram: dict[str, str]
) -> None:
    one, other = resources_for("api", **to_telegram), resources_for("sweep", **to_telegram)
    alert(one)
    assert chats(supergroup) == [str(NEW)]
    [row] = messages(one.database, "alert")
    assert (row.status, row.attempts) == ("sent", 1)
    assert one.telegram.send("a test alert").ok
    rows(one.database, "UPDATE outbox SET finished_at = finished_at - interval '2 s'")
    alert(other)
    assert chats(supergroup) == [str(NEW)] * 3
    assert supergroup.calls == 3 + 2, "each process asks the old one once"
    write(one, other)
    assert [event.message for event in events(one.database, "WARNING")] == [MOVED]


def test_an_alert_past_postgresql_goes_there_too(
    resources_for: Callable[..., Resources], supergroup: TelegramServer, to_telegram: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sweep = resources_for("sweep", **to_telegram)
    told: list[Alert] = []
    monkeypatch.setattr(sweep.watch._outage._incidents, "failed", lambda *_, **__: told)
    for _ in range(2):
        sweep.watch._outage.go_on("a test", None)
    assert chats(supergroup) == [str(NEW)]
    assert DATABASE.opened in supergroup.messages[0].text
    write(sweep)
    assert [row.value for row in rows(sweep.database, SAID)] == [f"{OLD} {NEW}"]


def test_later_starts_and_others_know_it_without_asking_the_old_chat(
    resources_for: Callable[..., Resources], supergroup: TelegramServer, to_telegram: dict[str, str]
) -> None:
    first = resources_for("api", **to_telegram)
    assert first.telegram.send("text").ok
    write(first)
    calls = supergroup.calls
    later = resources_for("api", **to_telegram)
    later.watch.look()
    alert(later)
    assert supergroup.calls == calls + 1
    # It may move once more.
    supergroup.moved[str(NEW)] = NEWER
    rows(later.database, "UPDATE outbox SET finished_at = finished_at - interval '2 s'")
    alert(later)
    later.watch.look()
    assert later.telegram.chat.id == str(NEWER), "what stands there still is older"
    write(later)
    assert [row.value for row in rows(later.database, SAID)] == [f"{OLD} {NEWER}"]
    assert chats(supergroup)[-1] == str(NEWER)


def test_another_configured_chat_wins(
    resources_for: Callable[..., Resources], supergroup: TelegramServer, to_telegram: dict[str, str]
) -> None:
    first = resources_for("api", **to_telegram)
    assert first.telegram.send("text").ok
    write(first)
    configured = resources_for("api", **{**to_telegram, "telegram_admin_chat_id": "77"})
    configured.watch.look()
    assert configured.telegram.send("text").ok
    assert chats(supergroup)[-1] == "77"


@pytest.mark.parametrize("new", [None, "soon", True, 1.5, [1]])
def test_what_is_no_id_is_not_followed(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str], new: Any
) -> None:
    telegram_server.answer = (400, {"ok": False, "parameters": {"migrate_to_chat_id": new}})
    assert resources_for("api", **to_telegram).telegram.send("text").status == 400
    assert telegram_server.calls == 1
