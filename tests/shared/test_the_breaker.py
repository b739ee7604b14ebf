"""The breaker: opens at the first failure of the queue, costs microseconds while open, closes by itself, once."""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.waiting import wait_until
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.queue.breaker import Breaker, BreakerState


class Queue:
    """`away`: whether calls and probes fail."""

    def __init__(self) -> None:
        self.away = False
        self.probes = 0
        self.opened: list[str] = []
        self.states: list[BreakerState] = []

    def call(self) -> str:
        if self.away:
            raise QueueUnavailable("ConnectionError")
        return "done"

    def probe(self) -> None:
        self.probes += 1
        self.call()


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def breaker(queue: Queue) -> Iterator[Breaker]:
    breaker = Breaker(queue.probe, on_open=queue.opened.append, probe_interval=0.02)
    breaker.listen(queue.states.append)
    breaker.start()
    yield breaker
    breaker.stop()


def fail(breaker: Breaker, queue: Queue) -> None:
    queue.away = True
    with pytest.raises(QueueUnavailable):
        breaker.call(queue.call)


def test_the_first_failure_opens_it_and_says_why_once(breaker: Breaker, queue: Queue) -> None:
    assert breaker.call(queue.call) == "done"
    assert breaker.trouble is None
    for _ in range(3):
        fail(breaker, queue)
    assert (breaker.state, breaker.trouble) == (BreakerState.OPEN, "ConnectionError")
    assert queue.opened == ["ConnectionError"]


def test_while_open_nothing_is_called_and_a_refusal_takes_microseconds(breaker: Breaker, queue: Queue) -> None:
    fail(breaker, queue)

    def never() -> None:
        raise AssertionError("called although open")

    took = []
    for _ in range(2000):
        began = time.perf_counter()
        with pytest.raises(QueueUnavailable):
            breaker.call(never)
        took.append(time.perf_counter() - began)
    assert sorted(took)[1000] < 0.000_1


def test_a_probe_closes_it_as_soon_as_the_queue_is_back(breaker: Breaker, queue: Queue) -> None:
    fail(breaker, queue)
    wait_until(lambda: queue.probes >= 3)
    assert breaker.state is BreakerState.OPEN
    queue.away = False
    wait_until(lambda: breaker.state is BreakerState.CLOSED)
    assert breaker.call(queue.call) == "done"
    assert queue.states == [BreakerState.CLOSED, BreakerState.OPEN, BreakerState.CLOSED]
    probes = queue.probes
    time.sleep(0.1)
    assert queue.probes == probes, "closed, nobody looks"


def test_a_time_out_that_comes_in_after_the_return_does_not_open_it_again(breaker: Breaker, queue: Queue) -> None:
    begun, finish = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        finish.wait(5)
        raise QueueUnavailable("TimeoutError")

    failures: list[BaseException] = []

    def call() -> None:
        try:
            breaker.call(slow)
        except QueueUnavailable as error:
            failures.append(error)

    late = threading.Thread(target=call)
    late.start()
    begun.wait(5)
    fail(breaker, queue)  # another call opened it meanwhile,
    queue.away = False
    wait_until(lambda: breaker.state is BreakerState.CLOSED)  # and it is over
    finish.set()
    late.join(5)
    assert len(failures) == 1, "the caller is told"
    assert breaker.state is BreakerState.CLOSED
    assert queue.opened == ["ConnectionError"]


def test_what_is_the_callers_own_fault_does_not_open_it(breaker: Breaker) -> None:
    def wrong() -> None:
        raise TypeError

    with pytest.raises(TypeError):
        breaker.call(wrong)
    assert breaker.state is BreakerState.CLOSED


def test_an_unexpected_error_of_the_probe_does_not_end_the_watching(queue: Queue) -> None:
    broken = [True]

    def probe() -> None:
        if broken[0]:
            raise RuntimeError
        queue.probe()

    breaker = Breaker(probe, on_open=queue.opened.append, probe_interval=0.02)
    breaker.start()
    fail(breaker, queue)
    time.sleep(0.1)
    broken[0], queue.away = False, False
    wait_until(lambda: breaker.state is BreakerState.CLOSED)
    breaker.stop()
