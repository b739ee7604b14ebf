"""The mode as a process knows it: one question however many ask, the last known one while nobody can be asked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import Mode
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.mode.mode import ModeRecord
from tripwire_shared.mode.mode_cache import ModeCache

TTL = 60.0


class Source:
    """Stands for the database. `away`: it cannot be asked; `gate`: it answers when this is open."""

    def __init__(self) -> None:
        self.now, self.asked, self.away = 1000.0, 0, False
        self.record = record(Mode.ASYNC_QUEUE, 1)
        self.gate = threading.Event()
        self.gate.set()

    def read(self) -> ModeRecord:
        self.asked += 1
        found = self.record
        assert self.gate.wait(10)
        if self.away:
            raise DatabaseUnavailable
        return found

    def cache(self) -> ModeCache:
        return ModeCache(self.read, TTL, clock=lambda: self.now)


def record(mode: Mode, version: int) -> ModeRecord:
    return ModeRecord(mode, version, datetime.now(UTC), None, None)


def test_it_is_asked_for_once_in_its_time() -> None:
    source = Source()
    cache = source.cache()
    for seconds in (0, 1, TTL - 1):
        source.now = 1000 + seconds
        cache.current()
    assert source.asked == 1
    source.now = 1000 + TTL
    cache.current()
    assert source.asked == 2


@pytest.mark.parametrize("known", [False, True])
def test_one_question_however_many_ask_at_once(known: bool) -> None:
    source = Source()
    cache = source.cache()
    if known:
        cache.current()
        source.now += TTL
    source.gate.clear()
    before = source.asked
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(cache.current) for _ in range(20)]
        try:
            if known:  # all but the one that asks go on with what they know
                wait_until(lambda: sum(answer.done() for answer in answers) == 19)
        finally:
            source.gate.set()
    assert {answer.result().version for answer in answers} == {1}
    assert source.asked == before + 1


def test_what_the_listener_brings_is_obeyed_at_once_and_counts_as_asked() -> None:
    source = Source()
    cache = source.cache()
    cache.current()
    source.now += TTL - 1
    cache.store(record(Mode.SYNC_DIRECT, 2))
    source.now += TTL - 1
    assert cache.current().mode is Mode.SYNC_DIRECT
    assert source.asked == 1


def test_an_answer_from_before_a_switch_does_not_undo_it() -> None:
    """A reload reads version 1; before it is stored the listener brings version 2."""
    source = Source()
    cache = source.cache()
    source.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        reload = pool.submit(cache.current)
        wait_until(lambda: source.asked)
        cache.store(record(Mode.SYNC_DIRECT, 2))
        source.gate.set()
        assert reload.result().version == 2
    assert cache.current().mode is Mode.SYNC_DIRECT


def test_the_last_known_one_is_kept_while_the_database_is_away() -> None:
    source = Source()
    cache = source.cache()
    cache.store(record(Mode.SYNC_DIRECT, 7))
    source.away = True
    source.now += TTL
    for _ in range(10):
        assert cache.current().version == 7
    assert source.asked == 1, "not asked again with each request"
    source.away, source.record = False, record(Mode.ASYNC_QUEUE, 8)
    source.now += TTL
    assert cache.current().version == 8


def test_with_nothing_known_there_is_nothing_to_obey() -> None:
    source = Source()
    source.away = True
    with pytest.raises(DatabaseUnavailable):
        source.cache().current()
