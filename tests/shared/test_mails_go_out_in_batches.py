"""Mails are leased, sent and marked in batches, over one connection; none of a batch pays for another."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.resources import Resources
from tests.shared.delivering import send_all
from tests.shared.mail_server import MailServer
from tests.shared.rows import mail_states, make_due, messages, rows, waiting_mails
from tests.waiting import wait_until
from tripwire_shared.mail.welcome import MAIL_BATCH
from tripwire_shared.outbox import deliverer, unmarked


def test_many_mails_go_over_few_connections_and_arrive_once_each(
    resources_for: Callable[..., Resources], server: MailServer
) -> None:
    resources = resources_for(smtp_url=server.url)
    emails = waiting_mails(resources, 120)
    send_all(resources)
    assert server.recipients == [[email] for email in emails], "and in their order"
    assert server.connections == 120 // MAIL_BATCH + 1
    assert mail_states(resources.database) == {"sent": 120}
    steps = rows(resources.database, "SELECT request_id, step FROM request_steps")
    assert len({step.request_id for step in steps}) == len(steps) == 120
    assert {step.step for step in steps} == {"mail_sent"}


def test_a_batch_costs_two_statements(
    resources_for: Callable[..., Resources], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # mails land there
    monkeypatch.setattr(unmarked, "MAIL_NOTED_WITHIN", 60)  # however slow this machine is today
    monkeypatch.setattr(deliverer, "LEASE_LOOK_INTERVAL", 60)
    resources = resources_for()
    waiting_mails(resources, MAIL_BATCH)
    asked = 0
    connection = resources.database.connection

    def counted() -> Any:
        nonlocal asked
        asked += 1
        return connection()

    monkeypatch.setattr(resources.database, "connection", counted)
    assert resources.mails.run_once() == MAIL_BATCH
    assert asked == 2, "one leases, one marks"


def test_a_refused_recipient_harms_nobody_else(resources_for: Callable[..., Resources], server: MailServer) -> None:
    resources = resources_for(smtp_url=server.url)
    emails = waiting_mails(resources, 50)
    server.refused = {emails[20]: "450 greylisted"}
    assert resources.mails.run_once() == 50
    assert server.arrived() == Counter(emails) - Counter([emails[20]])
    assert server.connections == 1
    [refused] = [row for row in messages(resources.database, "mail") if row.status == "pending"]
    assert (refused.last_error, refused.attempts) == ("The mail server refused (450).", 1)
    assert 4 < refused.due_in <= 5


@pytest.mark.parametrize("closing", [None, "421 that is enough"])
def test_a_server_may_close_the_connection_between_two_mails(
    resources_for: Callable[..., Resources], server: MailServer, closing: str | None
) -> None:
    server.mails_of_a_connection, server.closing = 5, closing
    resources = resources_for(smtp_url=server.url)
    emails = waiting_mails(resources, 20)
    assert resources.mails.run_once() == 20
    assert server.arrived() == Counter(emails)
    assert server.connections == 4
    assert mail_states(resources.database) == {"sent": 20}


@pytest.mark.parametrize("loses_answer", [False, True])
def test_a_server_dies_in_the_middle_of_a_batch(
    resources_for: Callable[..., Resources], server: MailServer, loses_answer: bool
) -> None:
    server.dies_after, server.loses_answer = 20, loses_answer
    resources = resources_for(smtp_url=server.url)
    emails = waiting_mails(resources, 50)
    assert resources.mails.run_once() == 50
    assert [row.status for row in messages(resources.database, "mail")] == ["sent"] * 20 + ["pending"] * 30
    assert resources.mails.run_once() == 0, "each has its pause"

    server.dies_after = None
    make_due(resources.database)
    send_all(resources)
    twice = {email: count for email, count in server.arrived().items() if count > 1}
    assert twice == ({emails[20]: 2} if loses_answer else {})
    assert set(server.arrived()) == set(emails)
    assert mail_states(resources.database) == {"sent": 50}
    numbers = {mail["Message-ID"] for mail in server.mails}
    assert len(numbers) == 50, "who gets a mail twice can see that it is the same"


def test_a_mail_that_is_closed_meanwhile_does_not_go_out(
    resources_for: Callable[..., Resources], server: MailServer
) -> None:
    """An erased customer, for example: her mail stands behind others of the batch."""
    server.seconds = 0.2
    sweep = resources_for(smtp_url=server.url)
    waiting_mails(sweep, 5)
    batch = threading.Thread(target=sweep.mails.run_once)
    batch.start()
    wait_until(lambda: server.mails)
    last = messages(sweep.database, "mail")[-1]
    with sweep.database.transaction() as connection:
        sweep.outbox.close_mails(connection, request_id=last.request_id, reason="erased")
    batch.join()
    assert len(server.mails) == 4
    assert mail_states(sweep.database) == {"sent": 4, "failed": 1}


def test_what_went_out_before_a_failure_is_marked_before_it(
    resources_for: Callable[..., Resources], server: MailServer
) -> None:
    """The watch tells one bad address from a dead mail server by which came last."""
    sweep = resources_for(smtp_url=server.url)
    emails = waiting_mails(sweep, 3)
    server.refused = dict.fromkeys(emails[1:], "450 greylisted")
    sweep.mails.run_once()
    [sent, *failed] = messages(sweep.database, "mail")
    assert all(sent.finished_at < row.failing_since for row in failed)
