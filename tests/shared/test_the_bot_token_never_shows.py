"""The token stands in the address of every call: it is in no log line, however talkative, and in no stored error."""

import logging
from collections.abc import Callable

import pytest

from tests.resources import Resources
from tests.shared.rows import rows
from tests.telegram_server import TelegramServer
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.event import Event

SECRET = "token-of-tests"


@pytest.mark.parametrize("how", ["repeats the path", "refuses connections"])
def test_not_in_logs_nor_in_errors(
    resources_for: Callable[..., Resources],
    telegram_server: TelegramServer,
    to_telegram: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    how: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    assert SECRET in to_telegram["telegram_bot_token"]
    telegram_server.answer = (404, {"ok": False, "description": f"no path /bot{to_telegram['telegram_bot_token']}/x"})
    if how == "refuses connections":
        telegram_server.stop()
    resources = resources_for(**to_telegram)
    with resources.database.transaction() as connection:
        resources.health_log.record_in(connection, Event(EventType.CRITICAL, "It failed"))
    resources.alerts.run_once()
    resources.writer.start()
    resources.writer.stop(5)

    stored = rows(resources.database, "SELECT last_error FROM outbox") + rows(
        resources.database, "SELECT metadata::text FROM system_health_logs WHERE event_type = 'WARNING'"
    )
    assert len(stored) == 2
    shown = capsys.readouterr()
    assert SECRET not in repr(stored) + caplog.text + shown.out + shown.err
