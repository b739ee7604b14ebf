"""EHLO names this host with a dot, or by its address in brackets; finding that out holds no mail up."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.resources import Resources
from tests.shared.mail_server import MailServer
from tests.shared.rows import provisioned
from tripwire_shared.mail.ehlo_name import EhloName


def greeted_by(resources: Resources, server: MailServer) -> list[str]:
    provisioned(resources)
    resources.mails.run_once()
    assert len(server.mails) == 1
    return server.greeted_by


def called(monkeypatch: pytest.MonkeyPatch, name: str, full_name: str | OSError) -> None:
    """This host has the short `name`, and the resolver knows it as `full_name`."""
    found = socket.getaddrinfo

    def look_up(host: str, *more: Any, **others: Any) -> Any:
        if host != name:
            return found(host, *more, **others)
        if isinstance(full_name, OSError):
            raise full_name
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, full_name, ("127.0.1.1", 0))]

    monkeypatch.setattr(socket, "gethostname", lambda: name)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_by_the_configured_name(resources_for: Callable[..., Resources], server: MailServer) -> None:
    resources = resources_for(smtp_url=server.url, mail_ehlo_name="mail.example.com")
    assert greeted_by(resources, server) == ["mail.example.com"]


@pytest.mark.parametrize(
    ("name", "full_name", "greeting"),
    [
        ("host1.example.com", "ignored", "host1.example.com"),
        ("host1", "host1.example.com", "host1.example.com"),
        ("host1", "host1", "[127.0.0.1]"),
        ("host1", "", "[127.0.0.1]"),
        ("host1", "localhost.localdomain", "[127.0.0.1]"),
        ("3f2a_1", "3f2a_1.compose_default", "[127.0.0.1]"),
        ("host1", "192.0.2.7", "[127.0.0.1]"),
        ("хост", "хост.example.com", "[127.0.0.1]"),
        ("host1", socket.gaierror(socket.EAI_NONAME, "unknown"), "[127.0.0.1]"),
    ],
)
def test_else_by_the_full_name_else_by_the_address(
    resources_for: Callable[..., Resources], server: MailServer, monkeypatch: pytest.MonkeyPatch,
    name: str, full_name: str | OSError, greeting: str,
) -> None:  # fmt: skip
    called(monkeypatch, name, full_name)
    assert greeted_by(resources_for(smtp_url=server.url), server) == [greeting]


@pytest.mark.parametrize(
    ("address", "literal"),
    [
        ("192.0.2.1", "[192.0.2.1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
        ("::ffff:192.0.2.1", "[192.0.2.1]"),
    ],
)
def test_an_address_as_the_rfc_writes_it(monkeypatch: pytest.MonkeyPatch, address: str, literal: str) -> None:
    called(monkeypatch, "host1", "host1")

    class Connected:
        def getsockname(self) -> tuple[str, int]:
            return address, 25

    assert EhloName("").on(cast("socket.socket", Connected())) == literal


def test_a_name_server_that_is_silent_costs_a_moment_once(
    resources_for: Callable[..., Resources], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is asked again for a later connection."""
    over, asked = threading.Event(), []
    called(monkeypatch, "host1", "host1.example.com")
    known = socket.getaddrinfo

    def hang(host: str, *more: Any, **others: Any) -> Any:
        if host == "host1":
            asked.append(host)
            over.wait(20)
        return known(host, *more, **others)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    resources = resources_for(smtp_url=server.url)
    began = time.monotonic()
    for _ in range(3):
        provisioned(resources, f"{_}@example.com")
        resources.mails.run_once()
    assert time.monotonic() - began < 3
    assert (server.greeted_by, len(asked)) == (["[127.0.0.1]"] * 3, 1)
    over.set()
    for _ in range(3, 50):
        provisioned(resources, f"{_}@example.com")
        resources.mails.run_once()
        if server.greeted_by[-1] == "host1.example.com":
            return
    raise AssertionError(server.greeted_by)
