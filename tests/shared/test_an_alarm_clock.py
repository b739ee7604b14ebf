"""What a background thread sleeps by: no wish to be woken is lost, and the earliest of several counts."""

import threading
import time

import pytest

from tripwire_shared.alarm_clock import AlarmClock, Ring


@pytest.fixture
def alarm() -> AlarmClock:
    return AlarmClock()


def took(alarm: AlarmClock, at_most: float) -> tuple[Ring | None, float]:
    began = time.monotonic()
    rang = alarm.sleep(at_most)
    return rang, time.monotonic() - began


def test_what_was_set_before_the_sleep_ends_it(alarm: AlarmClock) -> None:
    alarm.ring()
    assert took(alarm, 5) == (Ring.NOW, pytest.approx(0, abs=0.1))
    assert alarm.sleep(0) is None, "once"
    alarm.ring_in(0)
    assert took(alarm, 5) == (Ring.IN_TIME, pytest.approx(0, abs=0.1))


def test_the_earliest_of_several_counts(alarm: AlarmClock) -> None:
    alarm.ring_in(30)
    alarm.ring_in(0.2)
    alarm.ring_in(40)
    assert took(alarm, 5) == (Ring.IN_TIME, pytest.approx(0.2, abs=0.15))


def test_a_sleep_that_nothing_ended_leaves_it_set(alarm: AlarmClock) -> None:
    alarm.ring_in(0.3)
    assert alarm.sleep(0.05) is None
    assert took(alarm, 5) == (Ring.IN_TIME, pytest.approx(0.25, abs=0.15))


@pytest.mark.parametrize(("set_it", "rang"), [(AlarmClock.ring, Ring.NOW), (lambda a: a.ring_in(0.01), Ring.IN_TIME)])
def test_a_sleeper_is_woken_by_another_thread(alarm: AlarmClock, set_it: object, rang: Ring) -> None:
    assert callable(set_it)
    alarm.ring_in(30)
    threading.Timer(0.2, set_it, (alarm,)).start()
    assert took(alarm, 5) == (rang, pytest.approx(0.2, abs=0.2))
