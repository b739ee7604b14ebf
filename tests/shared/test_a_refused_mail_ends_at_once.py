"""5xx to recipient or content: failed at once, with the server's words for the admin, and no outage of mail."""

from collections.abc import Callable

import pytest

from tests.resources import Resources
from tests.shared.delivering import send_all
from tests.shared.mail_server import USER, MailServer, mail_server
from tests.shared.rows import events, make_due, messages, provisioned, rows, waiting_mails

FULL = "552 5.2.2 <anna@example.com>: Mailbox full"


def warnings(resources: Resources) -> list[str]:
    resources.writer.start()
    resources.writer.stop(5)
    return [event.metadata["reason"] for event in events(resources.database, "WARNING")]


def steps(resources: Resources) -> list[tuple[str, str]]:
    return [
        (row.step, row.facts["text"]) for row in rows(resources.database, "SELECT * FROM request_steps ORDER BY id")
    ]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("550 no such mailbox", "550 no such mailbox"),
        (FULL, "552 5.2.2 <a…@example.com>: Mailbox full"),
        ("550-5.1.1 The account anna\r\n550-5.1.1 does not exist:\r\n550 5.1.1 ask anna@EXAMPLE.com",
         "550 5.1.1 The account … does not exist: ask a…@EXAMPLE.com"),
        ("554", "554"),
        ("550 5.7.1 a\x1b[31mb\u202ec\x07" + "d" * 900, "550 5.7.1 a [31mb c " + "d" * 284),
    ],
)  # fmt: skip
@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_with_the_servers_words(
    resources_for: Callable[..., Resources], server: MailServer, answer: str, shown: str, at: str
) -> None:
    resources = resources_for(smtp_url=server.url)
    customer = provisioned(resources)
    if at == "RCPT":
        server.refused = {customer.email: answer}
    else:
        server.refusal = answer
    send_all(resources)
    reason = f"The mail server refused the {'address' if at == 'RCPT' else 'mail'} for good: {shown}"
    [row] = messages(resources.database, "mail")
    assert (row.status, row.last_error, row.attempts) == ("failed", reason, 1)
    assert steps(resources) == [("mail_given_up", reason)]
    assert warnings(resources) == [reason]
    make_due(resources.database)
    assert resources.mails.run_once() == 0
    [state] = rows(resources.database, "SELECT welcome_email_of(%s) AS state", customer.request_id)
    assert state.state == "failed"


def test_one_or_many_are_no_outage_and_harm_nobody(resources_for: Callable[..., Resources], server: MailServer) -> None:
    resources = resources_for(smtp_url=server.url)
    emails = waiting_mails(resources, 30)
    server.refused = dict.fromkeys(emails[:29], FULL)
    send_all(resources)
    assert (server.recipients, server.connections) == ([[emails[29]]], 1)
    assert not resources.outbox.waiting().mail_failing
    for _ in range(3):
        resources.watch.look()
    assert rows(resources.database, "SELECT cause FROM incidents") == []


def test_a_resent_mail_starts_anew(resources_for: Callable[..., Resources], server: MailServer) -> None:
    resources = resources_for(smtp_url=server.url)
    customer = provisioned(resources)
    server.refused = {customer.email: FULL}
    send_all(resources)
    server.refused = {}
    with resources.database.transaction() as connection:
        resources.outbox.put_mail(
            connection, user_id=customer.user_id, request_id=customer.request_id, invitation_id=customer.invitation_id
        )
    send_all(resources)
    assert [row.status for row in messages(resources.database, "mail")] == ["failed", "sent"]


@pytest.mark.parametrize("where", ["the sender", "the sign-in", "a passing refusal", "too many connections"])
def test_what_says_nothing_of_the_address_is_tried_again(resources_for: Callable[..., Resources], where: str) -> None:
    """And is an outage: nobody gets a mail. The server's words stay away, since they may repeat who signs in."""
    with mail_server(
        **({"auth_required": True, "auth_require_tls": False} if where == "the sign-in" else {})
    ) as server:
        url = (
            server.url.replace("://", f"://{USER.replace('@', '%40')}:wrong@") if where == "the sign-in" else server.url
        )
        resources = resources_for(smtp_url=url)
        customer = provisioned(resources)
        server.refused_sender = "550 5.7.1 you may not send" if where == "the sender" else None
        if where == "a passing refusal":
            server.refused = {customer.email: "451 4.7.1 greylisted"}
        server.refusal = "421 4.7.0 too many connections" if where == "too many connections" else None
        send_all(resources)
    [row] = messages(resources.database, "mail")
    code = {"the sender": 550, "the sign-in": 535, "a passing refusal": 451, "too many connections": 421}[where]
    assert (row.status, row.last_error) == ("pending", f"The mail server refused ({code}).")
    assert 4 < row.due_in <= 5
    assert resources.outbox.waiting().mail_failing
