"""Two processes deliver side by side: each alert arrives once, in order, at most one a second."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from tests.resources import Resources
from tests.shared.rows import as_if_a_minute_passed, messages
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.events.event import Event
from tripwire_shared.outbox.outbox import Channel
from tripwire_shared.timings import ALERT_SPACING


def test_each_arrives_once_in_order_and_spaced(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    processes = [resources_for(**to_telegram) for _ in range(3)]
    for process in processes:
        process.start()
    began = time.monotonic()
    for number in range(4):
        processes[0].health_log.record(Event(EventType.CRITICAL, f"Number {number} failed"))
    wait_until(lambda: len(telegram_server.messages) == 4, 8)

    sent = telegram_server.messages
    assert [f"Number {number} failed" in message.text for number, message in enumerate(sent)] == [True] * 4
    assert sent[0].at - began < 1.0
    pauses = [later.at - earlier.at for earlier, later in pairwise(sent)]
    assert min(pauses) > ALERT_SPACING - 0.05
    assert max(pauses) < ALERT_SPACING + 1.0
    wait_until(lambda: all(row.status == "sent" for row in messages(processes[0].database, "alert")))
    assert telegram_server.calls == 4


def test_a_message_is_never_leased_twice(resources_for: Callable[..., Resources], to_telegram: dict[str, str]) -> None:
    """Deliverers of one moment: as many threads as there are, one gets it."""
    processes = [resources_for(**to_telegram) for _ in range(4)]
    outboxes = [process.outbox for process in processes]
    for _ in range(25):
        with processes[0].database.transaction() as connection:
            processes[0].health_log.record_in(connection, Event(EventType.CRITICAL, "It failed"))
        with ThreadPoolExecutor(8) as pool:
            leases = pool.map(lambda outbox: outbox.lease(Channel.ALERT).messages, outboxes * 2)
            leased = [message for lease in leases for message in lease]
        assert len(leased) <= 1
        for message in leased:
            processes[0].outbox.give_up(message, "the next round")
        as_if_a_minute_passed(processes[0].database)
