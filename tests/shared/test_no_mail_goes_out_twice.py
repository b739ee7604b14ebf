"""Whatever ends or stands still in the middle of a batch: each mail goes out, and once."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deploy.local.postgres import PostgresServer
from tests.resources import Resources
from tests.shared.delivering import delivering_process, send_all
from tests.shared.mail_server import MailServer
from tests.shared.rows import mail_states, make_due, messages, rows, waiting_mails
from tests.waiting import wait_until
from tripwire_shared import delivery
from tripwire_shared.outbox import deliverer, outbox
from tripwire_shared.outbox.outbox import Channel
from tripwire_shared.settings import Settings

LEASE_LEFT = """
    SELECT extract(epoch FROM o.due_at - clock_timestamp())::float8 AS seconds
    FROM outbox o JOIN tripwire_users t USING (user_id) WHERE t.email = %s"""


def test_two_deliverers_at_once_send_each_mail_once(
    resources_for: Callable[..., Resources], server: MailServer
) -> None:
    deliverers = [resources_for(smtp_url=server.url) for _ in range(2)]
    emails = waiting_mails(deliverers[0], 300)
    ready = threading.Barrier(2)

    def deliver(resources: Resources) -> None:
        ready.wait()
        send_all(resources)

    threads = [threading.Thread(target=deliver, args=(resources,)) for resources in deliverers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.arrived() == Counter(emails)
    assert mail_states(deliverers[0].database) == {"sent": 300}


def test_a_mail_is_never_leased_twice(resources_for: Callable[..., Resources]) -> None:
    """Deliverers of one moment: there are fewer mails than all of them together want."""
    outboxes = [resources_for().outbox for _ in range(4)]
    waiting_mails(resources_for(), 100)
    for _ in range(10):
        with ThreadPoolExecutor(8) as pool:
            leases = list(pool.map(lambda outbox: outbox.lease(Channel.MAIL, at_most=20).messages, outboxes * 2))
        leased = [message.id for lease in leases for message in lease]
        assert len(leased) == len(set(leased)) > 0
        for lease in filter(None, leases):
            outboxes[0].give_back(lease)


def test_a_killed_process_repeats_no_mail_that_was_out_for_a_while(
    settings_for: Callable[..., Settings], resources_for: Callable[..., Resources], server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The mail server hangs at a mail, and the process is killed meanwhile: those before it are marked by then."""
    accept, hung = server.handle_DATA, threading.Event()

    async def accept_some(*arguments: Any) -> str:
        if len(server.mails) == 30 and not hung.is_set():
            hung.set()
            server.seconds = 60
        return await accept(*arguments)

    monkeypatch.setattr(server, "handle_DATA", accept_some)
    heir = resources_for(smtp_url=server.url)
    emails = waiting_mails(heir, 50)
    with delivering_process(settings_for(smtp_url=server.url)):
        assert hung.wait(20)
        wait_until(lambda: mail_states(heir.database) == {"sent": 30, "pending": 20})
    server.seconds = 0
    assert heir.mails.run_once() == 0, "its lease holds"
    make_due(heir.database)
    send_all(heir)
    assert server.arrived() == Counter(emails)


def test_a_slow_server_never_lets_a_lease_run_out(
    resources_for: Callable[..., Resources], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scaled down: at half a second a mail, the twelve take two deliverers longer than a lease."""
    monkeypatch.setattr(outbox, "MAIL_LEASE", 2.0)
    monkeypatch.setattr(delivery, "MAIL_BATCH_TIME", 0.8)
    accept, left = server.handle_DATA, []
    server.seconds = 0.5

    async def accept_and_look(*arguments: Any) -> str:
        answer = await accept(*arguments)
        left.extend(row.seconds for row in rows(deliverers[0].database, LEASE_LEFT, server.recipients[-1][0]))
        return answer

    monkeypatch.setattr(server, "handle_DATA", accept_and_look)
    deliverers = [resources_for(smtp_url=server.url) for _ in range(2)]
    emails = waiting_mails(deliverers[0], 12)
    for one in deliverers:
        one.mails.start()
    wait_until(lambda: mail_states(deliverers[0].database) == {"sent": 12}, 20)
    assert server.arrived() == Counter(emails)
    assert len(left) == 12
    assert min(left) > 0.2


def test_an_end_gives_back_what_was_not_begun(resources_for: Callable[..., Resources], server: MailServer) -> None:
    server.seconds = 0.2
    ending, heir = resources_for(smtp_url=server.url), resources_for(smtp_url=server.url)
    emails = waiting_mails(ending, 10)
    ending.mails.start()
    wait_until(lambda: server.begun == 4)
    ending.mails.stop(5)
    assert mail_states(ending.database) == {"sent": 4, "pending": 6}, "the one under way is finished and marked"
    given_back = [row for row in messages(ending.database, "mail") if row.status == "pending"]
    assert {(row.claimed_by, row.attempts) for row in given_back} == {(None, 0)}
    assert heir.mails.run_once() == 6
    assert server.arrived() == Counter(emails)


def test_nothing_more_goes_out_while_nothing_can_be_marked(
    own_postgres: PostgresServer, resources_for: Callable[..., Resources], server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """All of it would go out again, were the process killed now."""
    monkeypatch.setattr(deliverer, "LEASE_LOOK_INTERVAL", 60)  # that look too would find the database away
    sweep = resources_for(database_url=own_postgres.url, smtp_url=server.url)
    emails = waiting_mails(sweep, 20)
    accept, away = server.handle_DATA, threading.Event()

    async def accept_and_lose_database(*arguments: Any) -> str:
        if len(server.mails) == 5 and not away.is_set():
            own_postgres.stop()
            away.set()
        return await accept(*arguments)

    server.seconds = 0.05
    monkeypatch.setattr(server, "handle_DATA", accept_and_lose_database)
    sweep.mails.start()
    assert away.wait(10)
    time.sleep(1.0)  # long enough for all twenty
    assert len(server.mails) < 15
    own_postgres.start()
    wait_until(lambda: mail_states(sweep.database) == {"sent": 20}, 40)
    assert server.arrived() == Counter(emails)
