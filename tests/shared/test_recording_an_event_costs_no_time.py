"""`record()` neither waits nor raises nor grows without end, though the database does not answer at all."""

import socket
import time
from collections.abc import Callable

from tests.resources import Resources
from tests.shared.rows import events
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.events.event import Event
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.timings import LATE_WRITES_AT_MOST


def test_with_a_silent_database(resources_for: Callable[..., Resources]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        url = f"postgresql://app:secret@127.0.0.1:{silent.getsockname()[1]}/app"
        resources = resources_for("api", database_url=url)
        resources.writer.start()
        began = time.perf_counter()
        for number in range(2 * LATE_WRITES_AT_MOST):
            resources.health_log.record(Event(EventType.INFO, f"Number {number}"))
        each = (time.perf_counter() - began) / (2 * LATE_WRITES_AT_MOST)
    assert each < 0.001


class _WaitsForDatabase:
    def __init__(self) -> None:
        self.away, self.written, self.said = True, 0, 0

    def write(self) -> None:
        if self.away:
            raise DatabaseUnavailable
        self.written += 1

    def say_without_database(self) -> None:
        self.said += 1


def test_the_line_is_bounded_and_what_waits_is_said_once() -> None:
    writer, news = BackgroundWriter(size=3), _WaitsForDatabase()
    for _ in range(10):
        writer.submit(news)
    writer.start()
    wait_until(lambda: news.said == 3)
    news.away = False
    wait_until(lambda: news.written == 3, 5)
    news.away = True
    writer.submit(news)
    wait_until(lambda: news.said == 4, 5)
    news.away = False
    writer.stop(5)
    assert (news.written, news.said) == (4, 4)


def test_an_event_that_cannot_be_written_does_not_hold_up_the_next(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for()
    resources.health_log.record(Event(EventType.INFO, "bad", {"sign": "\x00"}))
    resources.health_log.record(Event(EventType.INFO, "good"))
    resources.writer.start()
    resources.writer.stop(5)
    assert [event.message for event in events(resources.database, "INFO")] == ["good"]
