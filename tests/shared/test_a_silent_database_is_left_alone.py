"""Who is in a hurry is refused at once while the database answers nobody; one slow statement is no silence."""

import pytest

from tripwire_shared.postgres.silence import DatabaseSilent, Silence
from tripwire_shared.timings import SILENCE_AFTER, SILENCE_DOUBTED_AFTER, SILENCE_PROBE_INTERVAL


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def silence(clock: Clock) -> Silence:
    return Silence(clock)


def fall_silent(silence: Silence, clock: Clock) -> None:
    asked_at = clock.now
    clock.now += SILENCE_AFTER
    silence.unanswered(asked_at)


def test_one_waits_and_the_others_are_refused_at_once(silence: Silence, clock: Clock) -> None:
    fall_silent(silence, clock)
    with pytest.raises(DatabaseSilent):
        silence.check(hurried=True)


def test_background_threads_go_on_asking_and_the_first_answer_ends_it(silence: Silence, clock: Clock) -> None:
    fall_silent(silence, clock)
    silence.check(hurried=False)
    silence.heard()
    silence.check(hurried=True)


def test_now_and_then_one_may_try(silence: Silence, clock: Clock) -> None:
    fall_silent(silence, clock)
    clock.now += SILENCE_PROBE_INTERVAL
    silence.check(hurried=True)
    with pytest.raises(DatabaseSilent):
        silence.check(hurried=True)


def test_one_slow_statement_is_no_silence_where_others_are_answered(silence: Silence, clock: Clock) -> None:
    asked_at = clock.now
    clock.now += SILENCE_AFTER - 0.1
    silence.heard()
    clock.now += 0.3
    silence.unanswered(asked_at)
    silence.check(hurried=True)


def test_a_wait_cut_short_by_its_budget_says_nothing(silence: Silence, clock: Clock) -> None:
    clock.now += 60
    silence.unanswered(clock.now - 0.2)
    silence.check(hurried=True)


def test_a_long_wait_has_the_server_asked_where_nobody_was_answered_meanwhile(silence: Silence, clock: Clock) -> None:
    asked: list[float] = []
    silence.ask_server = lambda: asked.append(clock.now)
    asked_at = clock.now
    clock.now += SILENCE_DOUBTED_AFTER / 2
    silence.doubt(asked_at)
    silence.heard()
    clock.now += SILENCE_DOUBTED_AFTER * 0.9
    silence.doubt(asked_at)
    assert asked == []
    clock.now += SILENCE_DOUBTED_AFTER * 0.2
    silence.doubt(asked_at)
    assert asked == [clock.now]
