"""Calls that come at the same moment are made together: each gets its own result, and none waits for ever, whatever
becomes of the thread that leads its group."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.waiting import wait_until
from tripwire_shared.grouped_calls import GroupedCalls, WaitedTooLong

AT_MOST, PATIENCE = 4, 5.0


class Outage(Exception):
    """Hits all."""


class Ended(BaseException):
    """The thread is ended from outside."""


class Together:
    """What is called. The call with "first" in it is held until `go`; `raises` says what happens to a group."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.raises: Callable[[Sequence[str]], BaseException | None] = lambda items: None

    def __call__(self, items: Sequence[str]) -> list[str]:
        self.groups.append(list(items))
        if "first" in items:
            self.begun.set()
            assert self.go.wait(PATIENCE)
        if (error := self.raises(items)) is not None:
            raise error
        return [f"{item} done" for item in items]


class Crowd:
    """Calls beside each other: the first is under way, and the others wait for it."""

    def __init__(self, before_waiting: Callable[[], None] = lambda: None) -> None:
        self.together = Together()
        self.calls = GroupedCalls(
            self.together,
            at_most=AT_MOST,
            hits_all=lambda error: isinstance(error, Outage),
            before_waiting=before_waiting,
        )
        self.pool = ThreadPoolExecutor(64)

    def call(self, item: str, patience: float = PATIENCE) -> "Future[str]":
        return self.pool.submit(self.calls.call, item, patience)

    def call_behind_the_first(self, *items: str) -> tuple["Future[str]", list["Future[str]"]]:
        """They come one after the other: the last one is the youngest."""
        first = self.call("first")
        assert self.together.begun.wait(PATIENCE)
        others = []
        for number, item in enumerate(items, 1):
            others.append(self.call(item))
            self.wait_for(number)
        return first, others

    def wait_for(self, waiting: int) -> None:
        wait_until(lambda: len(self.calls._waiting) == waiting)

    def assert_free(self) -> None:
        assert self.calls.call("afterwards", 0.0) == "afterwards done", "nobody leads, and nobody is waited for"


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


def test_one_alone_waits_for_nobody(crowd: Crowd) -> None:
    assert crowd.calls.call("a", 0.0) == "a done"
    assert crowd.calls.call("b", 0.0) == "b done"
    assert crowd.together.groups == [["a"], ["b"]]


def test_those_who_come_meanwhile_go_together_so_many_at_most(crowd: Crowd) -> None:
    first, others = crowd.call_behind_the_first("a", "b", "c", "d", "e", "f")
    crowd.together.go.set()
    assert first.result(PATIENCE) == "first done"
    assert [other.result(PATIENCE) for other in others] == [f"{item} done" for item in "abcdef"]
    # The youngest of those who wait leads, and takes those along who have waited longest.
    assert crowd.together.groups == [["first"], ["a", "b", "c", "f"], ["d", "e"]]
    crowd.assert_free()


def test_what_hits_all_reaches_each_as_an_exception_of_its_own(crowd: Crowd) -> None:
    crowd.together.raises = lambda items: Outage("away") if len(items) > 1 else None
    _, others = crowd.call_behind_the_first("a", "b", "c")
    crowd.together.go.set()
    errors = [other.exception(PATIENCE) for other in others]
    assert [(type(error), str(error)) for error in errors] == [(Outage, "away")] * 3
    assert len(set(map(id, errors))) == 3
    assert len(crowd.together.groups) == 2, "and nobody tries alone"
    crowd.assert_free()


def test_what_is_ones_own_is_no_neighbours(crowd: Crowd) -> None:
    bad = ValueError("b is bad")
    crowd.together.raises = lambda items: bad if "b" in items else None
    _, [a, b, c] = crowd.call_behind_the_first("a", "b", "c")
    crowd.together.go.set()
    assert (a.result(PATIENCE), c.result(PATIENCE)) == ("a done", "c done")
    assert b.exception(PATIENCE) is bad
    assert sorted(crowd.together.groups[2:]) == [["a"], ["b"], ["c"]]
    crowd.assert_free()


def test_too_few_results_leave_nobody_without(crowd: Crowd) -> None:
    """A fault of ours, not of the callers."""
    whole = crowd.calls._together
    crowd.calls._together = lambda items: whole(items)[:1]
    _, others = crowd.call_behind_the_first("a", "b")
    crowd.together.go.set()
    assert [other.result(PATIENCE) for other in others] == ["a done", "b done"]
    crowd.assert_free()


def test_where_the_leader_is_ended_the_others_go_on(crowd: Crowd) -> None:
    ended = Ended()
    crowd.together.raises = lambda items: ended if len(items) > 1 else None
    _, [a, b, leader] = crowd.call_behind_the_first("a", "b", "leader")
    crowd.together.go.set()
    assert leader.exception(PATIENCE) is ended
    assert (a.result(PATIENCE), b.result(PATIENCE)) == ("a done", "b done")
    crowd.assert_free()


def test_who_has_waited_too_long_is_carried_along_by_nobody(crowd: Crowd) -> None:
    first, [a] = crowd.call_behind_the_first("a")
    impatient = crowd.call("impatient", patience=0.05)
    assert isinstance(impatient.exception(PATIENCE), WaitedTooLong)
    crowd.together.go.set()
    assert (first.result(PATIENCE), a.result(PATIENCE)) == ("first done", "a done")
    assert crowd.together.groups == [["first"], ["a"]]
    crowd.assert_free()


def test_who_is_under_way_with_a_group_waits_no_longer_than_its_patience(crowd: Crowd) -> None:
    held, go_on = threading.Event(), threading.Event()

    def slow(items: Sequence[str]) -> None:
        if "leader" in items:
            held.set()
            assert go_on.wait(PATIENCE)

    crowd.together.raises = slow
    crowd.call("first")
    assert crowd.together.begun.wait(PATIENCE)
    impatient = crowd.call("impatient", patience=0.4)
    crowd.wait_for(1)
    leader = crowd.call("leader")
    crowd.wait_for(2)
    crowd.together.go.set()
    assert held.wait(PATIENCE)
    assert isinstance(impatient.exception(PATIENCE), WaitedTooLong)
    go_on.set()
    assert leader.result(PATIENCE) == "leader done"
    crowd.assert_free()


def test_who_is_named_too_late_leads_nobody_and_names_the_next(crowd: Crowd) -> None:
    """The youngest ran out of time at the very moment at which it was named."""
    first, [a] = crowd.call_behind_the_first("a")
    named, wait = threading.Event(), crowd.calls._wait

    def until_named(member: Any, patience: float) -> None:
        assert named.wait(PATIENCE)
        raise WaitedTooLong

    crowd.calls._wait = until_named
    late = crowd.call("late")
    crowd.wait_for(2)
    crowd.calls._wait = wait
    youngest = crowd.calls._waiting[-1]
    crowd.together.go.set()
    wait_until(lambda: youngest.leads)
    named.set()
    assert isinstance(late.exception(PATIENCE), WaitedTooLong)
    assert (first.result(PATIENCE), a.result(PATIENCE)) == ("first done", "a done")
    crowd.assert_free()


def test_nobody_is_let_in_to_wait_in_vain() -> None:
    def refuse() -> None:
        raise Outage

    crowd = Crowd(before_waiting=refuse)
    first = crowd.call("first")
    assert crowd.together.begun.wait(PATIENCE)
    assert isinstance(crowd.call("a").exception(PATIENCE), Outage)
    crowd.together.go.set()
    assert first.result(PATIENCE) == "first done"
    crowd.assert_free()


def test_many_at_once_whatever_happens_each_gets_its_own_answer(crowd: Crowd) -> None:
    dice = random.Random(11)

    def anything(items: Sequence[str]) -> BaseException | None:
        time.sleep(dice.choice((0.0, 0.0, 0.001)))
        chosen = dice.random()
        return Outage() if chosen < 0.05 else ValueError() if chosen < 0.1 else Ended() if chosen < 0.12 else None

    crowd.together.raises = anything

    def keep_calling(number: int) -> list[str]:
        told = []
        for turn in range(100):
            try:
                assert (
                    crowd.calls.call(f"{number}.{turn}", dice.choice((0.0, 0.002, PATIENCE))) == f"{number}.{turn} done"
                )
                told.append("done")
            except (Outage, ValueError, WaitedTooLong, Ended) as error:
                told.append(type(error).__name__)
        return told

    began = time.monotonic()
    told = [word for words in crowd.pool.map(keep_calling, range(64), timeout=50) for word in words]
    assert len(told) == 6400
    assert {"done", "Outage", "ValueError", "WaitedTooLong", "Ended"} == set(told)
    assert time.monotonic() - began < 40
    assert len(crowd.together.groups) < 6400, "some went together"
    crowd.together.raises = lambda items: None
    assert not crowd.calls._waiting
    crowd.assert_free()
