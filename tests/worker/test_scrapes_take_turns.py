"""However many ask the worker service for /metrics at once, they take one connection of the sweep's pool."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import CollectorRegistry

from tests.resources import Resources
from tests.waiting import wait_until
from tripwire_shared.queue.request_queue import QueueCounts
from tripwire_worker import meter
from tripwire_worker.meter import MetricsServer


class SlowQueue:
    """Answers when it may, and knows how many asked at once."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.asked: list[str] = []

    def counts(self) -> QueueCounts:
        self.asked.append(threading.current_thread().name)
        self.may_answer.wait(5)
        return QueueCounts(0, 0, 0, 0, 0, 0)


def test_one_after_another_and_not_for_ever(build: Callable[..., Resources], monkeypatch: pytest.MonkeyPatch) -> None:
    queue, core = SlowQueue(), build()
    server = MetricsServer(CollectorRegistry(), core.database, queue, core.settings)  # type: ignore[arg-type]
    with ThreadPoolExecutor(3) as scrapers:
        first, second = scrapers.submit(server.exposition), scrapers.submit(server.exposition)
        wait_until(lambda: queue.asked)
        monkeypatch.setattr(meter, "SCRAPE_TURN_WAIT", 0.1)
        assert scrapers.submit(server.exposition).result(5) is None
        assert len(queue.asked) == 1
        queue.may_answer.set()
        for scrape in (first, second):
            assert b"tripwire_database_up 1.0" in (scrape.result(5) or b"")
    assert len(queue.asked) == 2
