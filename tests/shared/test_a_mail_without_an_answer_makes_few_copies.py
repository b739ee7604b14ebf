"""A server has all of a mail and does not say so: it is waited for as RFC 5321 asks, and then tried twice more."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.postgres import PostgresServer
from tests.resources import Resources
from tests.shared.delivering import delivering_process, send_all
from tests.shared.mail_server import MailServer, plain_mail_server
from tests.shared.rows import events, make_due, messages, provisioned, rows, waiting_mails
from tests.waiting import wait_until
from tripwire_shared import timings
from tripwire_shared.mail import mailer
from tripwire_shared.outbox import deliverer, late_answers
from tripwire_shared.settings import Settings

ANNA = "anna@example.com"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a mail server may take, scaled down."""
    monkeypatch.setattr(mailer, "SMTP_ANSWER_LIMIT", 1.0)
    noted_soon(monkeypatch)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the answer itself may take as long as ever."""
    noted_soon(monkeypatch)


def noted_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailer, "MAIL_ANSWER_NOTED_AFTER", 0.1)
    monkeypatch.setattr(deliverer, "MAIL_ANSWER_PATIENCE", 0.2)


def the_mail(resources: Resources) -> Any:
    return messages(resources.database, "mail")[0]


def settled(resources: Resources) -> Any:
    """The mail when its answer is not waited for any more."""
    wait_until(lambda: resources.mails.run_once() or not resources.mails._late.owing)
    return the_mail(resources)


def test_it_is_as_long_as_the_rfc_asks() -> None:
    assert timings.SMTP_ANSWER_LIMIT >= 600  # RFC 5321 4.5.3.2.6
    assert timings.MAIL_ANSWER_LEASE > timings.SMTP_ANSWER_LIMIT
    last_note = timings.MAIL_BATCH_TIME + timings.SMTP_TOTAL + timings.MAIL_ANSWER_NOTED_AFTER + timings.SMTP_CUT_RETRY
    assert last_note < timings.MAIL_LEASE
    assert timings.MAIL_ANSWER_PATIENCE_AT_STOP * 2 < timings.BACKGROUND_STOP_TIMEOUT < timings.WORKER_DRAIN_LIMIT


@pytest.mark.usefixtures("hurried")
def test_three_copies_at_most_and_then_the_admin_is_told(
    resources_for: Callable[..., Resources], server: MailServer
) -> None:
    server.silent = {ANNA}
    resources = resources_for(smtp_url=server.url)
    customer = provisioned(resources)
    for copies in (1, 2):
        resources.mails.run_once()
        row = settled(resources)
        assert (row.status, row.unanswered, row.attempts, row.claimed_by) == ("pending", copies, copies, None)
        assert row.last_error.startswith("Outcome unknown: ")
        make_due(resources.database)
    resources.mails.run_once()
    row = settled(resources)
    assert row.status == "failed"
    make_due(resources.database)
    assert resources.mails.run_once() == 0
    assert server.arrived() == {ANNA: 3}
    assert len({mail["Message-ID"] for mail in server.mails}) == 1
    [*_, step] = rows(resources.database, "SELECT * FROM request_steps ORDER BY id")
    assert (step.step, step.facts) == ("mail_given_up", {"text": row.last_error})
    resources.writer.start()
    resources.writer.stop(5)
    [warning] = events(resources.database, "WARNING")
    assert warning.metadata["reason"] == row.last_error
    [state] = rows(resources.database, "SELECT welcome_email_of(%s) AS state", customer.request_id)
    assert state.state == "failed"


@pytest.mark.usefixtures("patient")
def test_it_holds_up_no_other_mail(resources_for: Callable[..., Resources], server: MailServer) -> None:
    resources = resources_for(smtp_url=server.url)
    emails = waiting_mails(resources, 10)
    server.silent = {emails[3]}
    began = time.monotonic()
    send_all(resources)
    assert time.monotonic() - began < 5
    assert server.recipients == [[email] for email in emails]
    owing = [row for row in messages(resources.database, "mail") if row.status != "sent"]
    assert [(row.unanswered, row.attempts) for row in owing] == [(1, 1)]
    assert resources.outbox.waiting().mail_failing
    resources.watch.look()
    assert rows(resources.database, "SELECT cause FROM incidents") == [], "others got theirs after it"


@pytest.mark.usefixtures("patient")
def test_nobody_else_gets_it_meanwhile(resources_for: Callable[..., Resources], server: MailServer) -> None:
    server.silent = {ANNA}
    waiting, heir = resources_for(smtp_url=server.url), resources_for(smtp_url=server.url)
    provisioned(waiting)
    waiting.mails.run_once()
    assert the_mail(heir).due_in > timings.SMTP_ANSWER_LIMIT
    rows(heir.database, "UPDATE outbox SET due_at = due_at - make_interval(secs => %s)", timings.SMTP_ANSWER_LIMIT)
    assert heir.mails.run_once() == 0


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("answer", "status", "unanswered"),
    [(b"250 taken\r\n", "sent", 1), (b"451 later\r\n", "pending", 0), (b"554 spam\r\n", "failed", 1)],
)
@pytest.mark.parametrize("pieces", [False, True], ids=["at once", "in pieces"])
def test_what_comes_late_counts(
    resources_for: Callable[..., Resources], answer: bytes, status: str, unanswered: int, pieces: bool
) -> None:
    said = threading.Event()

    def answer_late(connection: socket.socket) -> None:
        if pieces:
            connection.sendall(answer[:3] + b"-I think\r\n" + answer[:2])
        said.wait(10)
        connection.sendall(answer[2:] if pieces else answer)

    with plain_mail_server(answer_late) as plain:
        resources = resources_for(smtp_url=plain.url)
        provisioned(resources)
        resources.mails.run_once()
        said.set()
        row = settled(resources)
        assert (row.status, row.unanswered, plain.mails) == (status, unanswered, 1)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("bit", [b"250-I still think\r\n", b"2", b"250 fine, "], ids=["lines", "digits", "one line"])
def test_an_answer_that_never_ends_is_none(resources_for: Callable[..., Resources], bit: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        while True:
            connection.sendall(bit)
            time.sleep(0.02)

    with plain_mail_server(drip) as plain:
        resources = resources_for(smtp_url=plain.url)
        provisioned(resources)
        began = time.monotonic()
        resources.mails.run_once()
        assert time.monotonic() - began < 0.9, "it holds nobody up"
        row = settled(resources)
        assert (row.status, row.unanswered) == ("pending", 1)
        assert time.monotonic() - began < 4


def test_a_connection_lost_before_the_content_is_no_unknown_outcome(resources_for: Callable[..., Resources]) -> None:
    with plain_mail_server(lambda _: None, cuts_content=True) as plain:
        resources = resources_for(smtp_url=plain.url)
        provisioned(resources)
        for tries in range(1, 6):
            resources.mails.run_once()
            row = the_mail(resources)
            assert (row.status, row.unanswered, row.attempts) == ("pending", 0, tries)
            make_due(resources.database)


@pytest.mark.parametrize("words", [b"", b"what?\r\n", b"999 perhaps\r\n", b"354 go on\r\n"])
def test_a_connection_lost_after_the_content_is_one_and_so_are_words_that_say_nothing(
    resources_for: Callable[..., Resources], words: bytes
) -> None:
    def end(connection: socket.socket) -> None:
        connection.sendall(words)
        connection.shutdown(socket.SHUT_RDWR)

    with plain_mail_server(end) as plain:
        resources = resources_for(smtp_url=plain.url)
        provisioned(resources)
        for _ in range(5):
            resources.mails.run_once()
            make_due(resources.database)
        assert plain.mails == 3
    assert the_mail(resources).status == "failed"


@pytest.mark.usefixtures("hurried")
def test_a_server_that_is_away_in_between_uses_up_no_try(
    resources_for: Callable[..., Resources], server: MailServer
) -> None:
    """Nothing is out then: it makes no copy."""
    server.silent = {ANNA}
    resources = resources_for(smtp_url=server.url)
    provisioned(resources)
    resources.mails.run_once()
    assert settled(resources).unanswered == 1
    server.silent, server.dies_after = set(), 0
    for tries in range(2, 6):
        make_due(resources.database)
        resources.mails.run_once()
        row = the_mail(resources)
        assert (row.status, row.unanswered, row.attempts) == ("pending", 1, tries)
    server.dies_after = None
    make_due(resources.database)
    resources.mails.run_once()
    assert the_mail(resources).status == "sent"
    assert server.arrived() == {ANNA: 2}


def test_a_killed_process_leaves_its_count(
    settings_for: Callable[..., Settings], resources_for: Callable[..., Resources], server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It was waiting. Its heir comes when an answer would have, and knows that a copy may be out."""
    server.silent = {ANNA}
    heir = resources_for(smtp_url=server.url)
    provisioned(heir)
    with delivering_process(settings_for(smtp_url=server.url)):
        wait_until(lambda: server.mails, 20)
        wait_until(lambda: the_mail(heir).unanswered == 1, 5)  # noted after a second, long before others go on
    assert the_mail(heir).due_in > timings.SMTP_ANSWER_LIMIT
    noted_soon(monkeypatch)
    monkeypatch.setattr(mailer, "SMTP_ANSWER_LIMIT", 0.3)
    for _ in range(4):
        make_due(heir.database)
        heir.mails.run_once()
        settled(heir)
    assert server.arrived() == {ANNA: 3}
    assert the_mail(heir).status == "failed"


def test_a_mail_whose_processes_all_die_before_they_can_note_it_ends_too(
    resources_for: Callable[..., Resources], server: MailServer
) -> None:
    resources = resources_for(smtp_url=server.url)
    provisioned(resources)
    rows(resources.database, "UPDATE outbox SET attempts = 200 WHERE channel = 'mail'")
    resources.mails.run_once()
    assert server.mails == []
    assert the_mail(resources).last_error.startswith("Outcome unknown: ")
    assert the_mail(resources).status == "failed"


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("service", ["sweep", "api"])
def test_an_end_waits_a_moment_and_then_counts_it_as_unknown(
    resources_for: Callable[..., Resources], server: MailServer, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    monkeypatch.setattr(deliverer, "MAIL_ANSWER_PATIENCE", 60.0)
    server.silent = {ANNA}
    ending = resources_for(service, smtp_url=server.url)
    provisioned(ending)
    ending.mails.start()
    ending.own_mail.ring()
    wait_until(lambda: the_mail(ending).unanswered == 1)
    began = time.monotonic()
    ending.mails.stop(timings.BACKGROUND_STOP_TIMEOUT)
    assert timings.MAIL_ANSWER_PATIENCE_AT_STOP < time.monotonic() - began < timings.BACKGROUND_STOP_TIMEOUT
    row = the_mail(ending)
    assert (row.status, row.unanswered, row.claimed_by) == ("pending", 1, None)
    assert row.last_error.startswith("Outcome unknown: ")


@pytest.mark.usefixtures("patient")
def test_an_answer_that_comes_in_that_moment_counts(
    resources_for: Callable[..., Resources], server: MailServer
) -> None:
    server.seconds = 1.5
    ending = resources_for(smtp_url=server.url)
    provisioned(ending)
    ending.mails.start()
    wait_until(lambda: the_mail(ending).unanswered == 1)
    ending.mails.stop(5)
    assert the_mail(ending).status == "sent"


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("away", ["before it is noted", "after it"])
def test_postgresql_may_be_away_meanwhile(
    own_postgres: PostgresServer, resources_for: Callable[..., Resources], away: str
) -> None:
    out, said = threading.Event(), threading.Event()

    def answer_late(connection: socket.socket) -> None:
        if away == "before it is noted":
            own_postgres.stop()
        out.set()
        said.wait(20)
        connection.sendall(b"250 taken\r\n")

    with plain_mail_server(answer_late) as plain:
        resources = resources_for(database_url=own_postgres.url, smtp_url=plain.url)
        provisioned(resources)
        resources.mails.start()
        assert out.wait(10)
        if away == "after it":
            wait_until(lambda: the_mail(resources).unanswered == 1)
            own_postgres.stop()
        said.set()
        time.sleep(0.5)  # the answer comes while nothing can be written
        own_postgres.start()
        wait_until(lambda: the_mail(resources).status == "sent", 10)
        assert plain.mails == 1


@pytest.mark.usefixtures("patient")
def test_a_server_that_answers_no_mail_gets_only_so_many(
    resources_for: Callable[..., Resources], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is an outage."""
    monkeypatch.setattr(late_answers, "AT_ONCE", 3)
    resources = resources_for(smtp_url=server.url)
    emails = waiting_mails(resources, 10)
    server.silent = set(emails)
    resources.mails.start()
    wait_until(lambda: len(server.mails) == 3)
    time.sleep(0.5)  # it would be more by now
    assert len(server.mails) == 3
    assert {row.attempts for row in messages(resources.database, "mail")[3:]} == {0}
    resources.watch.look()
    assert [row.cause for row in rows(resources.database, "SELECT cause FROM incidents")] == ["mail failing"]
