"""A load generator that leaves the machine's cores to what is measured: one process, one epoll loop, no HTTP library.

Requests are bytes made beforehand, connections are kept alive. `closed_loop` sends the next request when an answer is
there; `open_loop` sends by the clock whatever the server does, and counts an answer's time from the moment when it
should have been sent, so that a server that stalls cannot hide it.
"""

import itertools
import math
import multiprocessing
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Requests = Iterator[bytes]
LOST_AFTER = 10.0
LONGEST, MANY = 120.0, sys.maxsize


class Answer(NamedTuple):
    """`number`: the how many-th request it answers, from 0 on. `due_at`: when that was sent, in an open loop when it
    should have been. Moments are of `time.perf_counter()`, which all processes of a machine share."""

    number: int
    status: int
    due_at: float
    arrived_at: float

    @property
    def seconds(self) -> float:
        return self.arrived_at - self.due_at


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of 100 of the values do not exceed. Of one value at least."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


@dataclass
class Answers:
    """All answers, in the order they came in, and the seconds that passed until the last one."""

    took: float = 0.0
    each: list[Answer] = field(default_factory=list)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(one.status for one in self.each)

    @property
    def per_second(self) -> float:
        return len(self.each) / self.took

    def ms(self, percent: float) -> float:
        """The percentile of the answers' times in milliseconds."""
        return 1000 * percentile([one.seconds for one in self.each], percent)

    def due_before(self, moment: float) -> "Answers":
        return Answers(self.took, [one for one in self.each if one.due_at < moment])

    def only(self, *statuses: int) -> "Answers":
        """These answers, where they are all of the expected kind: what fails must not look fast."""
        got = self.statuses
        if not got or set(got) - set(statuses):
            hint = "; 201 says that Redis did not answer in time: the machine is too busy" if 201 in got else ""
            raise AssertionError(f"expected only {statuses}, got {dict(got)}{hint}")
        return self


def closed_loop(
    port: int, requests: Callable[[], Requests], *, connections: int, seconds: float = LONGEST, count: int = MANY
) -> Answers:
    """`connections` clients, each with one request under way, until `seconds` are over or `count` is answered."""
    return _in_own_process(_closed, port, requests, connections, seconds, count)


def open_loop(port: int, requests: Callable[[], Requests], *, per_second: float, count: int) -> Answers:
    """`count` requests, one each 1/`per_second` seconds."""
    return _in_own_process(_open, port, requests, per_second, count)


def all_at_once(port: int, requests: Callable[[], Requests], count: int) -> Answers:
    """`count` requests on as many connections, which all stand before the first one is sent."""
    return _in_own_process(_closed, port, requests, count, LONGEST, count)


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LOST_AFTER)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""
        self._number, self._due_at = 0, 0.0

    def send(self, request: bytes, number: int, due_at: float) -> None:
        self._number, self._due_at = number, due_at
        self.socket.sendall(request)

    def answer_if_whole(self) -> Answer | None:
        status = self._status_if_whole()
        return None if status is None else Answer(self._number, status, self._due_at, time.perf_counter())

    def _status_if_whole(self) -> int | None:
        """Reads what has come; the answer's status once its last byte is there."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server closed a connection under load")
        self._read += part
        head, end, body = self._read.partition(b"\r\n\r\n")
        if not end:
            return None
        _, _, length = head.lower().partition(b"content-length: ")
        if len(body) < int(length.partition(b"\r\n")[0]):
            return None
        status, self._read = int(self._read[9:12]), b""
        return status


def _closed(port: int, make_requests: Callable[[], Requests], connections: int, seconds: float, count: int) -> Answers:
    requests, answers = enumerate(itertools.islice(make_requests(), count)), Answers()

    def send_next(one: _Connection) -> None:
        number, request = next(requests, (0, None))
        if request is not None:
            one.send(request, number, time.perf_counter())

    with selectors.DefaultSelector() as selector:
        everybody = [_Connection(port) for _ in range(connections)]
        for one in everybody:
            selector.register(one.socket, selectors.EVENT_READ, one)
        began = now = time.perf_counter()
        for one in everybody:
            send_next(one)
        while now < began + seconds and len(answers.each) < count:
            _take_answers(selector, answers, send_next, LOST_AFTER)
            now = time.perf_counter()
    answers.took = now - began
    return answers


def _open(port: int, make_requests: Callable[[], Requests], per_second: float, count: int) -> Answers:
    requests, answers = make_requests(), Answers()
    idle: list[_Connection] = []
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter() + 0.05
        sent = 0
        while len(answers.each) < count:
            due_in = began + sent / per_second - time.perf_counter() if sent < count else LOST_AFTER
            if due_in > 0:
                _take_answers(selector, answers, idle.append, due_in, may_be_silent=sent < count)
                continue
            one = idle.pop() if idle else _Connection(port)
            if one.socket.fileno() not in selector.get_map():
                selector.register(one.socket, selectors.EVENT_READ, one)
            one.send(next(requests), sent, began + sent / per_second)
            sent += 1
    answers.took = time.perf_counter() - began
    return answers


def _take_answers(
    selector: selectors.BaseSelector,
    answers: Answers,
    on_answer: Callable[[_Connection], None],
    timeout: float,
    *,
    may_be_silent: bool = False,
) -> None:
    ready = selector.select(timeout)
    if not ready and not may_be_silent:
        raise TimeoutError(f"no answer for {LOST_AFTER:g} s")
    for key, _ in ready:
        one: _Connection = key.data
        answer = one.answer_if_whole()
        if answer is not None:
            answers.each.append(answer)
            on_answer(one)


def _in_own_process(run: Callable[..., Answers], *arguments: object) -> Answers:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(run, arguments)
