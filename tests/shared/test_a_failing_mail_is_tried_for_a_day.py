"""A mail that fails: again after 5 s, 15 s, 60 s, 5 min, then each 15 min; after 24 h failed, with a WARNING."""

import time
from collections.abc import Callable

import pytest

from tests.dripping_server import dripping_server
from tests.resources import Resources
from tests.shared.mail_server import mail_server
from tests.shared.rows import events, make_due, messages, provisioned, rows
from tripwire_shared.mail import mailer


def test_the_pauses_and_the_end(resources_for: Callable[..., Resources]) -> None:
    with mail_server() as server:
        server.refusal = "451 try later, anna@example.com"
        resources = resources_for(smtp_url=server.url)
        customer = provisioned(resources)
        pauses = []
        for _ in range(7):
            assert resources.mails.run_once() == 1
            pauses.append(round(messages(resources.database, "mail")[0].due_in))
            make_due(resources.database)
        assert pauses == [5, 15, 60, 300, 900, 900, 900]
        [row] = messages(resources.database, "mail")
        assert (row.status, row.last_error) == ("pending", "The mail server refused (451).")
        assert resources.outbox.waiting().mail_failing

        rows(resources.database, "UPDATE outbox SET created_at = created_at - interval '24 hours 1 second'")
        resources.mails.run_once()
        assert [row.status for row in messages(resources.database, "mail")] == ["failed"]
        assert resources.mails.run_once() == 0
        assert server.mails == []
    resources.writer.start()
    resources.writer.stop(5)
    [warning] = events(resources.database, "WARNING")
    assert warning.metadata["user_id"] == str(customer.user_id)
    assert "example.com" not in repr(warning.metadata)
    [request] = rows(resources.database, "SELECT status FROM provisioning_requests")
    assert request.status == "provisioned", "a failing mail never fails the customer"


def test_it_goes_out_when_the_server_is_back(resources_for: Callable[..., Resources]) -> None:
    with mail_server() as server:
        server.refusal = "451 try later"
        resources = resources_for(smtp_url=server.url)
        provisioned(resources)
        resources.mails.run_once()
        server.refusal = None
        make_due(resources.database)
        resources.mails.run_once()
        assert len(server.mails) == 1
    assert [row.status for row in messages(resources.database, "mail")] == ["sent"]


def test_one_mail_that_fails_does_not_hold_up_another(resources_for: Callable[..., Resources]) -> None:
    with mail_server() as server:
        resources = resources_for(smtp_url=server.url)
        server.refusal = "451 try later"
        provisioned(resources)
        resources.mails.run_once()
        server.refusal = None
        provisioned(resources, "boris@example.com")
        resources.mails.run_once()
        assert server.recipients == [["boris@example.com"]]


@pytest.mark.parametrize("code", ["220", "250"], ids=["its greeting", "a later answer"])
def test_a_server_that_drips_its_answers_is_left_in_time(
    resources_for: Callable[..., Resources], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Each of its answers comes within the limit of one, all together would outlive the lease."""
    monkeypatch.setattr(mailer, "SMTP_TOTAL", 0.6)
    greeting = b"" if code == "220" else b"220 slow\r\n"
    with dripping_server(greeting, f"{code}-still thinking\r\n".encode()) as host:
        resources = resources_for(smtp_url=f"smtp://{host}")
        provisioned(resources)
        began = time.monotonic()
        resources.mails.run_once()
        took = time.monotonic() - began
    assert took < 3
    [row] = messages(resources.database, "mail")
    assert row.status == "pending"
    assert row.last_error.startswith("The mail server did not take it")
