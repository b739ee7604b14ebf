"""Who delivers mails, and is told of them, in a test: a deliverer that notes what reaches it, and when."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from uuid import UUID, uuid4

from tests.resources import Resources
from tests.shared.rows import provisioned, rows
from tests.waiting import wait_until
from tripwire_shared.alarm_clock import AlarmClock
from tripwire_shared.outbox.deliverer import Deliverer, Route
from tripwire_shared.outbox.outbox import Channel, Message
from tripwire_shared.postgres.wakeups import WakeUp, Wakeups
from tripwire_shared.settings import Settings
from tripwire_shared.tracing import NoTracer

# A deliverer in a process of its own, until it is killed.
DELIVERS = """
import threading
from tests.resources import build_resources
from tripwire_shared.settings import load_settings
build_resources(load_settings(dotenv=None), service="sweep").mails.start()
threading.Event().wait()
"""
LISTENERS = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'tripwire-sweep-listener' AND datname = current_database() AND query ~ '^(LISTEN|SELECT 1)'
"""


class Delivered:
    """Mails as they reach their deliverer: when, by the id of their request."""

    def __init__(self, resources: Resources) -> None:
        self.at: dict[UUID | None, float] = {}
        route = Route(
            Channel.MAIL, lambda: nullcontext(self._note), lambda _: None, lambda *_: None, lambda *_: None,
            at_most=50, begin_within=5.0,
        )  # fmt: skip
        self.deliverer = Deliverer(resources.outbox, route, AlarmClock(), NoTracer())

    def _note(self, message: Message) -> None:
        self.at[message.request_id] = time.monotonic()


@contextmanager
def delivering(resources: Resources, listener_url: str | None = None) -> Iterator[Delivered]:
    """A deliverer of mails as the sweep process has it, listening there; without an address it hears nothing."""
    delivered = Delivered(resources)
    wakeups = Wakeups(listener_url or "", "tripwire-sweep-listener")
    wakeups.listen(WakeUp.MAILS, delivered.deliverer.told)
    delivered.deliverer.start()
    if listener_url is not None:
        wakeups.start()
    try:
        yield delivered
    finally:
        wakeups.stop(5)
        delivered.deliverer.stop(5)


@contextmanager
def delivering_process(settings: Settings) -> Iterator[None]:
    """A process that delivers mails; it is killed at the end of the block."""
    environ = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "SMTP_URL": settings.smtp_url,
    }
    process = subprocess.Popen([sys.executable, "-c", DELIVERS], env=environ)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def send_all(resources: Resources) -> None:
    """All that is due."""
    while resources.mails.run_once():
        pass


def put_mail(elsewhere: Resources) -> UUID:
    return provisioned(elsewhere, f"{uuid4()}@example.com").request_id


def listening(resources: Resources) -> int:
    [row] = wait_until(lambda: rows(resources.database, LISTENERS), 5)
    return int(row.pid)
