"""Those who wait for a request's end are asked for together, told when it comes, and few enough."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from uuid import UUID, uuid4

import pytest

from tests.waiting import wait_until
from tripwire_api.http.long_waits import LongWaits
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.postgres.wakeups import Told


class NoPlaceNeeded:
    def left(self) -> AbstractContextManager[None]:
        return nullcontext()


PLACE = NoPlaceNeeded()
TOKEN = "a token"


def is_good(token: str) -> bool:
    return token == TOKEN


class Requests:
    """Which are finished, and what was asked."""

    def __init__(self) -> None:
        self.finished: set[UUID] = set()
        self.asked: list[int] = []
        self.away = False

    def among(self, request_ids: Sequence[UUID]) -> set[UUID]:
        self.asked.append(len(request_ids))
        if self.away:
            raise DatabaseUnavailable
        return self.finished & set(request_ids)


@pytest.fixture(autouse=True)
def _asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tripwire_api.http.long_waits.PREFER_WAIT_POLL", 0.1)


def test_all_are_asked_for_together_and_only_while_somebody_waits() -> None:
    requests, ids = Requests(), [uuid4() for _ in range(20)]
    waits = LongWaits(requests.among, is_good, stopping=threading.Event())
    with ThreadPoolExecutor(len(ids)) as pool:
        waiting = [pool.submit(waits.until_finished, one, 10, PLACE, TOKEN) for one in ids]
        wait_until(lambda: len(ids) in requests.asked)
        requests.finished = set(ids)
        assert all(one.result(2) for one in waiting)
    wait_until(lambda: not waits._asking)
    asked = len(requests.asked)
    time.sleep(0.3)  # nobody waits: nothing is asked
    assert len(requests.asked) == asked
    began = time.monotonic()
    assert waits.until_finished(ids[0], 10, PLACE, TOKEN)
    assert time.monotonic() - began < 2, "it is asked again for the next one"


def test_more_than_may_wait_are_answered_at_once() -> None:
    waits, one = LongWaits(Requests().among, is_good, at_most=2, stopping=threading.Event()), uuid4()
    began = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        waited = sorted(pool.map(lambda _: waits.until_finished(one, 0.5, PLACE, TOKEN), range(3)))
    assert waited == [False, True, True]
    assert time.monotonic() - began < 2
    assert waits.until_finished(one, 0.01, PLACE, TOKEN), "there is room again"


def test_a_process_that_stops_answers_all() -> None:
    stopping = threading.Event()
    waits = LongWaits(Requests().among, is_good, stopping=stopping)
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(waits.until_finished, uuid4(), 30, PLACE, TOKEN) for _ in range(5)]
        wait_until(lambda: waits._count == 5)
        stopping.set()
        assert all(one.result(2) for one in waiting)
    assert not waits.until_finished(uuid4(), 30, PLACE, TOKEN), "and nobody begins to wait"


def test_a_revoked_token_ends_its_own_waits() -> None:
    good = {TOKEN, "another"}
    waits = LongWaits(Requests().among, good.__contains__, stopping=threading.Event())
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(waits.until_finished, uuid4(), 5, PLACE, token) for token in ("another", TOKEN)]
        wait_until(lambda: waits._count == 2)
        good.remove("another")
        assert waiting[0].result(1)
        assert not waiting[1].done()
        good.clear()


def test_who_is_told_waits_for_no_question() -> None:
    waits, one, other = LongWaits(Requests().among, is_good, stopping=threading.Event()), uuid4(), uuid4()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(waits.until_finished, which, 5, PLACE, TOKEN) for which in (one, other)]
        wait_until(lambda: waits._count == 2)
        waits.told(Told(frozenset({f"{uuid4()},{one}"}), None))
        assert waiting[0].result(1)
        assert not waiting[1].done()
        waits.told(Told(None, None))
        assert waiting[1].result(1), "anything may have happened: it looks"


def test_without_a_database_nobody_waits_on() -> None:
    requests = Requests()
    requests.away = True
    began = time.monotonic()
    assert LongWaits(requests.among, is_good, stopping=threading.Event()).until_finished(uuid4(), 30, PLACE, TOKEN)
    assert time.monotonic() - began < 2
