"""The breaker: opens with the first failure, closes with the first success, and never believes what came late."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import BreakerState
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.queue.breaker import Breaker

PROBE = 0.02


class Queue:
    """Stands for Redis; notes what the breaker says."""

    def __init__(self) -> None:
        self.up, self.calls, self.probes = True, 0, 0
        self.broken = False
        self.said: list[str] = []
        self.breaker = Breaker(
            self.probe,
            on_open=lambda reason: self.said.append(f"open: {reason}"),
            probe_interval=PROBE,
        )
        self.breaker.listen(lambda state: self.said.append("closed") if state is BreakerState.CLOSED else None)
        self.said.clear()  # what a listener is told at once

    def probe(self) -> None:
        self.probes += 1
        if self.broken:
            raise RuntimeError
        self.call()

    def call(self) -> str:
        self.calls += 1
        if not self.up:
            raise QueueUnavailable("refused")
        return "queued"

    def is_closed(self) -> bool:
        return self.breaker.state is BreakerState.CLOSED


@pytest.fixture
def queue() -> Iterator[Queue]:
    queue = Queue()
    queue.breaker.start()
    yield queue
    queue.breaker.stop()


def failing(function: Callable[[], object]) -> None:
    with pytest.raises(QueueUnavailable):
        function()


def test_one_failure_opens_it_and_then_nobody_waits(queue: Queue) -> None:
    assert queue.breaker.call(queue.call) == "queued"
    queue.up = False
    failing(lambda: queue.breaker.call(queue.call))
    asked: list[int] = []
    for _ in range(100):
        failing(lambda: queue.breaker.call(lambda: asked.append(1)))
    assert asked == []
    assert queue.said == ["open: refused"]


def test_it_closes_by_itself(queue: Queue) -> None:
    queue.up = False
    failing(lambda: queue.breaker.call(queue.call))
    wait_until(lambda: queue.probes >= 2)
    queue.up = True
    wait_until(queue.is_closed)
    assert queue.breaker.call(queue.call) == "queued"
    assert queue.said == ["open: refused", "closed"]
    probes = queue.probes
    threading.Event().wait(5 * PROBE)
    assert queue.probes == probes, "while closed nobody probes"


def test_it_opens_and_closes_as_often_as_it_takes(queue: Queue) -> None:
    for _ in range(5):
        queue.up = False
        failing(lambda: queue.breaker.call(queue.call))
        queue.up = True
        wait_until(queue.is_closed)
    assert queue.said == ["open: refused", "closed"] * 5


def test_a_failure_that_began_before_the_last_change_does_not_open_it_again(queue: Queue) -> None:
    began, let_fail = threading.Event(), threading.Event()

    def frozen() -> None:
        began.set()
        assert let_fail.wait(10)
        raise QueueUnavailable("timed out")

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(queue.breaker.call, frozen)
        assert began.wait(10)
        queue.up = False
        failing(lambda: queue.breaker.call(queue.call))
        queue.up = True
        wait_until(queue.is_closed)
        let_fail.set()
        failing(late.result)
    assert queue.is_closed()
    assert queue.said == ["open: refused", "closed"]


def test_many_failures_at_once_are_one_outage_and_calls_run_side_by_side(queue: Queue) -> None:
    together = threading.Barrier(20)

    def frozen() -> None:
        together.wait(10)  # breaks if the breaker let them in one after the other
        raise QueueUnavailable("timed out")

    queue.up = False
    with ThreadPoolExecutor(20) as pool:
        for call in [pool.submit(queue.breaker.call, frozen) for _ in range(20)]:
            failing(call.result)
    assert queue.said == ["open: timed out"]


def test_an_error_that_is_not_the_queues_does_not_open_it(queue: Queue) -> None:
    with pytest.raises(ZeroDivisionError):
        queue.breaker.call(lambda: 1 / 0)
    assert queue.is_closed()


def test_while_open_a_refusal_takes_microseconds_and_the_reason_is_known(queue: Queue) -> None:
    assert queue.breaker.trouble is None
    queue.up = False
    failing(lambda: queue.breaker.call(queue.call))
    assert queue.breaker.trouble == "refused"
    took = []
    for _ in range(2000):
        began = time.perf_counter()
        failing(lambda: queue.breaker.call(queue.call))
        took.append(time.perf_counter() - began)
    assert sorted(took)[1000] < 0.000_1


def test_an_unexpected_error_of_the_probe_does_not_end_the_watching(queue: Queue) -> None:
    queue.broken = True
    queue.up = False
    failing(lambda: queue.breaker.call(queue.call))
    wait_until(lambda: queue.probes >= 2)
    queue.broken, queue.up = False, True
    wait_until(queue.is_closed)


def test_it_stops_at_once_also_while_open() -> None:
    queue = Queue()
    queue.breaker.start()
    queue.up = False
    failing(lambda: queue.breaker.call(queue.call))
    queue.breaker.stop()
    assert not queue.breaker._thread.is_alive()
