"""What the tests of the shared parts stand on: whole resources of a process, without the service around them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.resources import Resources, build_resources
from tests.shared.mail_server import MailServer, mail_server
from tests.telegram_server import TelegramServer
from tripwire_shared.settings import Settings


@pytest.fixture
def telegram_server() -> Iterator[TelegramServer]:
    server = TelegramServer()
    yield server
    server.stop()


@pytest.fixture
def to_telegram(telegram_server: TelegramServer) -> dict[str, str]:
    """The settings that send alerts to this test's stand-in."""
    return {name.lower(): value for name, value in telegram_server.variables.items()}


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server for this test."""
    with mail_server() as running:
        yield running


@pytest.fixture
def resources_for(settings_for: Callable[..., Settings]) -> Iterator[Callable[..., Resources]]:
    """Resources as a process of `service` has them, not started: `resources_for("api", smtp_url=…)`. Each call gives
    what another process would have."""
    built: list[Resources] = []

    def make(service: str = "sweep", **overrides: Any) -> Resources:
        built.append(build_resources(settings_for(**overrides), service=service))
        return built[-1]

    yield make
    for resources in built:
        resources.stop()
