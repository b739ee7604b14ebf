"""Without a bot an alert is a log line, and the outbox does not fill up."""

from collections.abc import Callable

import pytest

from tests.resources import Resources
from tests.shared.rows import messages
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.event import Event


def test_logged_and_done(resources_for: Callable[..., Resources], capsys: pytest.CaptureFixture[str]) -> None:
    resources = resources_for()
    with resources.database.transaction() as connection:
        resources.health_log.record_in(connection, Event(EventType.SWITCH, "System mode changed to: sync_direct"))
    assert resources.alerts.run_once() == 1
    assert [row.status for row in messages(resources.database, "alert")] == ["sent"]
    assert "System mode changed to: sync_direct" in capsys.readouterr().out
