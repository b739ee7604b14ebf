"""A mail that fails: again after 5 s, 15 s, 60 s, 5 min, then each 15 min; after 24 h failed, with a WARNING."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.data_folder import free_port
from tests.dripping_server import dripping_server
from tests.resources import Resources
from tests.shared.mail_server import MailServer, mail_server
from tests.shared.rows import events, make_due, messages, provisioned, rows, waiting_mails
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


# The head of a TLS record of 16 KiB, which then does not come, over and over.
TLS_RECORD = b"\x16\x03\x03\x40\x00"
TO_STARTTLS = b"220 slow\r\n250-slow\r\n250 STARTTLS\r\n220 go on\r\n"


@pytest.mark.parametrize(
    ("scheme", "query", "opening", "bit"),
    [
        ("smtp", "", b"", b"220-still thinking\r\n"),
        ("smtp", "", b"", b"2"),
        ("smtp", "", b"220 slow\r\n", b"250-still thinking\r\n"),
        ("smtp", "", b"220 slow\r\n250 slow\r\n250 fine\r\n", b"250-still thinking\r\n"),
        ("smtp", "?starttls=true", TO_STARTTLS, TLS_RECORD),
        ("smtps", "", b"", TLS_RECORD),
    ],
    ids=["greeting", "greeting's first word", "EHLO", "RCPT", "STARTTLS's handshake", "SMTPS's handshake"],
)
def test_a_server_that_drips_is_left_in_time(
    resources_for: Callable[..., Resources], monkeypatch: pytest.MonkeyPatch,
    scheme: str, query: str, opening: bytes, bit: bytes,
) -> None:  # fmt: skip
    """Each bit comes within the limit of one, all together would outlive the lease. It is no unknown outcome."""
    monkeypatch.setattr(mailer, "SMTP_TOTAL", 0.6)
    with dripping_server(opening, bit) as host:
        resources = resources_for(smtp_url=f"{scheme}://{host}{query}")
        provisioned(resources)
        began = time.monotonic()
        resources.mails.run_once()
        took = time.monotonic() - began
    assert 0.5 < took < 3
    [row] = messages(resources.database, "mail")
    assert (row.status, row.unanswered) == ("pending", 0)
    assert row.last_error.startswith("The mail server did not take it")


def test_a_server_whose_answer_has_no_end_takes_no_memory(resources_for: Callable[..., Resources]) -> None:
    with dripping_server(b"220-x\r\n" * 100_000) as host:
        resources = resources_for(smtp_url=f"smtp://{host}")
        provisioned(resources)
        began = time.monotonic()
        resources.mails.run_once()
        assert time.monotonic() - began < 3
    assert [row.status for row in messages(resources.database, "mail")] == ["pending"]


def test_a_name_server_that_is_silent_is_left_in_time(
    resources_for: Callable[..., Resources], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look-up itself cannot be ended; those that hang are few, and who comes then is refused at once."""
    monkeypatch.setattr(mailer, "SMTP_TIMEOUT", 0.3)
    found, over, asked = socket.getaddrinfo, threading.Event(), []

    def hang(host: str, *more: Any, **others: Any) -> Any:
        if host == "mail.example.com":
            asked.append(host)
            over.wait(20)
        return found(host, *more, **others)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    resources = resources_for(smtp_url="smtp://mail.example.com")
    waiting_mails(resources, 10)
    began = time.monotonic()
    resources.mails.run_once()
    assert time.monotonic() - began < 3
    over.set()
    assert len(asked) == mailer.LOOK_UPS_AT_ONCE
    assert {row.last_error for row in messages(resources.database, "mail")} == {
        "The mail server did not take it (TimeoutError)."
    }


def test_an_address_that_nobody_answers_at_is_no_reason_to_give_up(
    resources_for: Callable[..., Resources], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's next one is tried."""
    found = socket.getaddrinfo
    port = server.url.rpartition(":")[2]

    def two(host: str, *more: Any, **others: Any) -> Any:
        if host != "mail.example.com":
            return found(host, *more, **others)
        return found("127.0.0.2", free_port(), **others) + found("127.0.0.1", port, **others)

    monkeypatch.setattr(socket, "getaddrinfo", two)
    resources = resources_for(smtp_url="smtp://mail.example.com")
    provisioned(resources)
    resources.mails.run_once()
    assert len(server.mails) == 1
