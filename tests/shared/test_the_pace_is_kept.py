"""The pace: slots of one clock for all processes, never more than the limit in any second, none kept waiting idle."""

import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from tests.resources import Resources
from tests.shared.rows import rows
from tripwire_shared.postgres.database import Database
from tripwire_shared.provisioning.pace import SAFETY, Pace

LIMIT, PROCESSES, THREADS, SLOTS = 10, 3, 5, 12
# A process that takes its share of slots with several threads, and prints for each when it was granted to begin.
TAKER = """
import sys, threading, time
from tripwire_shared.postgres.database import Database
from tripwire_shared.provisioning.pace import Pace

database = Database(sys.argv[1], application_name="taker", pool_size=8, statement_limit=10)
pace, slots = Pace(database, int(sys.argv[2])), int(sys.argv[4])
taken, lock = [], threading.Lock()

def take():
    while True:
        with lock:
            if len(taken) >= slots:
                return
            taken.append(None)
        while not pace.wait_for_slots(1, lambda: False):
            pass  # others came first; it asks again
        print(time.time(), flush=True)

threads = [threading.Thread(target=take) for _ in range(int(sys.argv[3]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def take(pace: Pace, count: int = 1) -> None:
    assert pace.wait_for_slots(count, lambda: False)


def test_over_three_processes(database_url: str) -> None:
    command = [sys.executable, "-c", TAKER, database_url, str(LIMIT), str(THREADS), str(SLOTS)]
    takers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    printed = [taker.communicate(timeout=40)[0] for taker in takers]
    starts = sorted(float(line) for lines in printed for line in lines.split())
    assert len(starts) == PROCESSES * SLOTS
    rate = (len(starts) - 1) / (starts[-1] - starts[0])
    assert rate >= 0.85 * LIMIT
    # A start follows its slot within 50 ms, so starts may stand closer than slots do, by that and no more.
    for first, last in zip(starts, starts[LIMIT:], strict=False):
        assert last - first > 1.0 - 0.05


@pytest.mark.parametrize("limit", [1, 2, 5, 9, 10, 11, 22, 50, 100, 1000])
def test_slots_leave_no_second_with_more_than_the_limit(resources_for: Callable[..., Resources], limit: int) -> None:
    """Read from PostgreSQL's own clock, while whole sets want more slots than there are. A set's begin together."""
    database = resources_for().database
    pace = Pace(database, limit)
    size, slots = pace.set_size(50), []
    for _ in range(2 * min(limit, 20) // size + 2):
        take(pace, size)
        [row] = rows(database, "SELECT extract(epoch FROM last_slot)::float8 AS at FROM worker_pace")
        slots += [row.at - (size - 1) * SAFETY / limit] * size
    assert slots == sorted(slots)
    assert max(bisect_left(slots, at + 1.0) - number for number, at in enumerate(slots)) <= limit
    # A second that begins with a set holds as many as any can: what would come if this went on is within the limit too.
    spacing = min(later - earlier for earlier, later in pairwise(slots[::size]))
    assert size * (int((1.0 - 1e-6) / spacing) + 1) <= limit


@pytest.mark.parametrize(("limit", "size"), [(1, 1), (10, 1), (22, 2), (100, 9), (1000, 50), (0, 50)])
def test_a_set_is_at_most_a_tenth_of_the_limit(limit: int, size: int) -> None:
    assert Pace(None, limit).set_size(50) == size  # type: ignore[arg-type]  # not asked


def test_an_idle_system_waits_for_nothing(resources_for: Callable[..., Resources]) -> None:
    slept: list[float] = []
    pace = Pace(resources_for().database, 2, sleep=slept.append)
    take(pace)
    assert slept == [0]
    take(pace)
    assert len(slept) == 2
    assert 0 < slept[1] <= 1 / 2 * 1.1


def test_a_slot_that_is_far_ahead_is_left_to_others(resources_for: Callable[..., Resources]) -> None:
    """Who waits reserves nothing: else jobs would wait for slots that lie beyond their own limits."""
    database = resources_for().database
    pace = Pace(database, 1, sleep=lambda _: None)
    take(pace)
    take(pace)  # a second ahead
    [before] = rows(database, "SELECT last_slot FROM worker_pace")
    waited: list[float] = []

    assert not Pace(database, 1, sleep=waited.append, clock=iter(range(100)).__next__).wait_for_slots(1, lambda: False)

    assert waited[0] == pytest.approx(1.1, abs=0.05), "it asks again when one is near"
    assert rows(database, "SELECT last_slot FROM worker_pace") == [before]


def test_who_is_stopped_takes_none(resources_for: Callable[..., Resources]) -> None:
    database = resources_for().database
    assert not Pace(database, 1).wait_for_slots(1, lambda: True)
    assert rows(database, "SELECT 1 FROM worker_pace WHERE last_slot = '-infinity'")


@pytest.mark.long
def test_many_who_wait_at_a_low_rate_use_all_of_it(resources_for: Callable[..., Resources]) -> None:
    """Ten at once, at two a second: each asks again and again, and somebody always takes the next slot."""
    pace = Pace(resources_for(worker_concurrency=10).database, 2)
    began, taken = time.monotonic(), []

    def ask(_: int) -> None:
        while time.monotonic() - began < 6:
            if pace.wait_for_slots(1, lambda: False):
                taken.append(time.monotonic())

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(ask, range(10)))
    assert (len(taken) - 1) / (max(taken) - min(taken)) >= 0.85 * 2


def test_a_clock_that_was_set_back_stops_nobody(resources_for: Callable[..., Resources]) -> None:
    database = resources_for().database
    rows(database, "UPDATE worker_pace SET last_slot = now() + interval '1 hour'")
    began = time.monotonic()
    take(Pace(database, 10))
    assert time.monotonic() - began < 1
    [row] = rows(database, "SELECT last_slot < now() + interval '1 s' AS soon FROM worker_pace")
    assert row.soon


def test_no_limit_is_no_query() -> None:
    began, no_database = time.monotonic(), None
    pace = Pace(no_database, 0)  # type: ignore[arg-type]  # it must not be asked
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: take(pace), range(100)))
    assert time.monotonic() - began < 1


def test_a_slot_outlives_the_process_that_took_it(resources_for: Callable[..., Resources], database_url: str) -> None:
    """Another process, on another host even, goes on where the first one stopped."""
    Pace(resources_for().database, 2, sleep=lambda _: None).wait_for_slots(1, lambda: False)
    other = Database(database_url, application_name="other", pool_size=1, statement_limit=10)
    slept: list[float] = []
    Pace(other, 2, sleep=slept.append).wait_for_slots(1, lambda: False)
    other.close()
    assert len(slept) == 1
