"""Places in the application: so many at once, the others in order, and none lost whatever ends a wait."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.waiting import wait_until
from tripwire_shared.serving.places import NoPlace, Places


def test_never_more_than_there_are() -> None:
    places, lock, inside, most = Places(2), threading.Lock(), [0], [0]

    def enter(_: int) -> None:
        with places.one():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.001)  # so that they meet
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(200)))
    assert most == [2]


def test_they_come_in_the_order_in_which_they_stand_in_line() -> None:
    places, order = Places(1), list[int]()

    def enter(number: int) -> None:
        with places.one():
            order.append(number)

    with ThreadPoolExecutor(6) as pool, places.one():
        for number in range(6):
            pool.submit(enter, number)
            wait_until(lambda number=number: waiting(places) == number + 1)
    assert order == list(range(6))


def waiting(places: Places) -> int:
    return len(places._line)


def test_who_waits_too_long_is_refused_and_costs_nobody_a_place() -> None:
    places = Places(1, patience=0.05)
    with places.one():
        began = time.monotonic()
        with pytest.raises(NoPlace), places.one():
            pass
        assert 0.05 <= time.monotonic() - began < 1
    for _ in range(3):
        with places.one():
            pass


def test_a_place_that_is_left_is_somebody_elses_meanwhile() -> None:
    places = Places(1, patience=0.05)
    with places.one() as place:
        with place.left(), places.one():
            pass
        with pytest.raises(NoPlace), places.one():
            pass
    with places.one():
        pass


def test_who_gets_no_place_again_gives_none_back() -> None:
    places = Places(1, patience=0.05)
    with pytest.raises(NoPlace), places.one() as place, place.left():
        places.take()  # and keeps it
    places.give_back()
    with places.one(), pytest.raises(NoPlace), places.one():
        pass


def test_a_wait_that_is_broken_off_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class BrokenOff(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if came:
                places.give_back()  # its turn comes at that very moment
            raise KeyboardInterrupt

    for came in (False, True):
        places = Places(1)
        places.take()
        with monkeypatch.context() as patched:
            patched.setattr("tripwire_shared.serving.places.threading.Event", BrokenOff)
            with pytest.raises(KeyboardInterrupt):
                places.take()
        if not came:
            places.give_back()
        assert waiting(places) == 0
        with places.one():
            pass
