"""Whatever another server does, who called it goes on in time, and those given up do not gather."""

import threading

import pytest

from tests.waiting import wait_until
from tripwire_shared.network.bounded_call import BoundedCalls, TookTooLong


def test_answers_and_errors_are_the_calls_own() -> None:
    calls = BoundedCalls(limit=5)
    assert calls.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        calls.run(lambda: 1 // 0)


def test_what_hangs_is_given_up_and_only_so_many_hang_at_once() -> None:
    calls, end, begun = BoundedCalls(limit=0.05, at_once=2), threading.Event(), []

    def hang() -> None:
        begun.append(1)
        end.wait(10)

    for _ in range(4):
        with pytest.raises(TookTooLong):
            calls.run(hang)
    assert len(begun) == 2, "the others were not even begun"
    end.set()

    def free_again() -> bool:
        try:
            return calls.run(lambda: True)
        except TookTooLong:
            return False

    wait_until(free_again, 5)
