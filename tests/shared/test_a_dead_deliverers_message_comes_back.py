"""A deliverer that dies keeps its message until its lease ends; what it says afterwards counts no more."""

from collections.abc import Callable

import pytest

from deploy.local.postgres import PostgresServer
from tests.resources import Resources
from tests.shared.mail_server import mail_server
from tests.shared.rows import make_due, messages, provisioned, rows
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.event import Event
from tripwire_shared.outbox.outbox import Channel
from tripwire_shared.timings import ALERT_LEASE, MAIL_LEASE


@pytest.mark.parametrize("channel", list(Channel))
def test_after_the_lease_another_has_it(resources_for: Callable[..., Resources], channel: Channel) -> None:
    dead, heir = resources_for(), resources_for()
    provisioned(dead)
    with dead.database.transaction() as connection:
        dead.health_log.record_in(connection, Event(EventType.CRITICAL, "It failed"))

    [lost] = dead.outbox.lease(channel).messages
    assert heir.outbox.lease(channel).messages == []
    lease = ALERT_LEASE if channel is Channel.ALERT else MAIL_LEASE
    assert lease - 2 < messages(heir.database, channel)[0].due_in <= lease
    make_due(heir.database)
    [found] = heir.outbox.lease(channel).messages
    assert (found.id, found.attempts) == (lost.id, 2)

    dead.outbox.mark_sent([lost])
    dead.outbox.give_back([lost])
    assert not dead.outbox.give_up(lost, "too late")
    dead.outbox.put_off(lost, 900, "too late")
    [row] = messages(heir.database, channel)
    assert (row.status, row.claimed_by, row.last_error) == ("pending", found.owner, None)
    heir.outbox.mark_sent([found])
    assert [row.status for row in messages(heir.database, channel)] == ["sent"]
    steps = rows(heir.database, "SELECT step FROM request_steps")
    assert [row.step for row in steps] == (["mail_sent"] if channel is Channel.MAIL else [])


def test_a_mail_that_is_out_is_marked_when_the_database_is_back(
    own_postgres: PostgresServer, resources_for: Callable[..., Resources], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would go out a second time."""
    with mail_server() as server:
        resources = resources_for(database_url=own_postgres.url, smtp_url=server.url)
        provisioned(resources)
        accept = server.handle_DATA

        async def accept_and_lose_database(*arguments: object) -> str:
            own_postgres.stop()
            return await accept(*arguments)

        monkeypatch.setattr(server, "handle_DATA", accept_and_lose_database)
        resources.mails.start()
        wait_until(lambda: server.mails, 15)
        own_postgres.start()
        wait_until(lambda: [row.status for row in messages(resources.database, "mail")] == ["sent"], 10)
        assert len(server.mails) == 1


def test_deliverers_go_on_after_the_database_was_away(
    own_postgres: PostgresServer, resources_for: Callable[..., Resources]
) -> None:
    with mail_server() as server:
        resources = resources_for(database_url=own_postgres.url, smtp_url=server.url)
        resources.mails.start()
        resources.wakeups.start()
        own_postgres.stop()
        own_postgres.start()
        provisioned(resources)
        wait_until(lambda: server.mails, 5)
