"""Calls that come at the same moment are made together, so that they share a round trip and a commit.

Who comes first goes at once. Who comes while that is under way waits, and then goes with all others who wait, led by
one of them. There is no timer and no thread: a call alone waits for nobody, and the groups grow with the load.

Built from plain locks alone, so that it holds for threads and for greenlets (monkey-patched) alike.
"""

import copy
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Generic, NoReturn, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class WaitedTooLong(Exception):
    """The group of this call, or the one before it, took longer than the caller may wait."""


class _Member(Generic[Item, Result]):
    """A call that waits or is under way. What others write into it, they write under the lock of its calls."""

    __slots__ = ("ending", "item", "leads", "woken")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.leads = False
        # How the caller gets its result: given, raised, or found alone. None: not known yet.
        self.ending: Callable[[], Result] | None = None
        # A latch: whoever leads, or ends, this member opens it. A raw lock costs a tenth of an Event.
        self.woken = threading.Lock()
        self.woken.acquire()


class GroupedCalls(Generic[Item, Result]):
    """`together(items)` gives a result for each item, in their order; at most `at_most` at once, a group at a time.

    It is called by the leader's thread, under the leader's time limits: the youngest of those who wait, who has the
    most time left. Where it raises, `hits_all(error)` says whether the members would all fail alike: then each gets an
    exception of its own. For any other error each member is called alone, in its own thread, beside the next groups:
    nobody pays for a neighbour. The same where the leader's thread is ended from outside: what became of the group is
    unknown then, so `together` must bear the same item twice.

    `before_waiting` may raise where there is no point in waiting behind the group that is under way.
    """

    def __init__(
        self,
        together: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        at_most: int,
        hits_all: Callable[[Exception], bool],
        before_waiting: Callable[[], None],
    ) -> None:
        self._together, self._at_most, self._hits_all = together, at_most, hits_all
        self._before_waiting = before_waiting
        # Guards the two below and what is written into other threads' members; nothing is waited for under it.
        self._lock = threading.Lock()
        self._led = False  # a group is under way, or its leader has been named
        self._waiting: deque[_Member[Item, Result]] = deque()

    def call(self, item: Item, patience: float) -> Result:
        """The result for `item`. Waits for others at most `patience` seconds: then raises WaitedTooLong, and whether
        the call was made is unknown."""
        if self._led:  # a look without the lock: one check too many or too few does no harm
            self._before_waiting()
        member = _Member[Item, Result](item)
        try:
            self._enter(member)
            if not member.leads:
                self._wait(member, patience)
            if member.leads:
                self._lead(member)
        finally:
            # However this ends: leadership goes on to the next one, and nobody carries the item along in vain.
            self._leave(member)
        assert member.ending is not None  # _wait and _lead return with it, or raise
        return member.ending()

    def _enter(self, member: _Member[Item, Result]) -> None:
        with self._lock:
            if self._led:
                self._waiting.append(member)
            else:
                self._led = member.leads = True

    def _wait(self, member: _Member[Item, Result], patience: float) -> None:
        """Until it has its ending, or leads. Who was named at the last moment but has no time left leads nobody."""
        if not member.woken.acquire(timeout=max(0.0, patience)):
            with self._lock:
                if member.ending is None:
                    raise WaitedTooLong

    def _lead(self, member: _Member[Item, Result]) -> None:
        group = self._gather(member)
        # What holds if nothing better comes, whichever way this is left.
        endings: list[Callable[[], Result]] = [partial(self._alone, one.item) for one in group]
        try:
            results = self._together([one.item for one in group])
            endings = [partial(_give, result) for _, result in zip(group, results, strict=True)]
        except Exception as error:
            if len(group) == 1:
                raise
            if self._hits_all(error):
                # One object raised in many threads would mix up their tracebacks.
                endings = [partial(_raise, copy.copy(error), error) for _ in group]
        finally:
            with self._lock:
                for one, ending in zip(group, endings, strict=True):
                    one.ending = ending
                    if one is not member:
                        one.woken.release()

    def _gather(self, leader: _Member[Item, Result]) -> list[_Member[Item, Result]]:
        with self._lock:
            count = min(len(self._waiting), self._at_most - 1)
            return [*(self._waiting.popleft() for _ in range(count)), leader]

    def _alone(self, item: Item) -> Result:
        return self._together([item])[0]

    def _leave(self, member: _Member[Item, Result]) -> None:
        with self._lock:
            if member.leads:
                self._name_a_leader()
            elif member.ending is None:
                with suppress(ValueError):  # it is under way with a group
                    self._waiting.remove(member)

    def _name_a_leader(self) -> None:
        if self._waiting:
            youngest = self._waiting.pop()
            youngest.leads = True
            youngest.woken.release()
        else:
            self._led = False


def _give(result: Result) -> Result:
    return result


def _raise(error: Exception, cause: Exception) -> NoReturn:
    raise error from cause
