"""The pace: slots of one clock for all processes, never more than the limit in any second, none kept waiting idle."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from tests.resources import Resources
from tests.shared.rows import rows
from tripwire_shared.database import Database
from tripwire_shared.provisioning.pace import Pace

LIMIT, PROCESSES, THREADS, SLOTS = 10, 3, 5, 12
# A process that takes its share of slots with several threads, and prints for each when it was granted to begin.
TAKER = """
import sys, threading, time
from tripwire_shared.database import Database
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
        pace.wait_for_slot()
        print(time.time(), flush=True)

threads = [threading.Thread(target=take) for _ in range(int(sys.argv[3]))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


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


@pytest.mark.parametrize("limit", [1, 2, 5, 9, 10, 11, 50, 1000])
def test_slots_leave_no_second_with_more_than_the_limit(resources_for: Callable[..., Resources], limit: int) -> None:
    """Read from PostgreSQL's own clock, while more want slots than there are."""
    database = resources_for().database
    pace = Pace(database, limit, sleep=lambda _: None)
    slots = []
    for _ in range(2 * min(limit, 20) + 2):
        pace.wait_for_slot()
        [row] = rows(database, "SELECT extract(epoch FROM last_slot)::float8 AS at FROM worker_pace")
        slots.append(row.at)
    assert slots == sorted(slots)
    spacing = min(later - earlier for earlier, later in pairwise(slots))
    assert int(1.0 / spacing - 1e-6) + 1 <= limit, "slots that far apart, in a second that begins with one"


def test_an_idle_system_waits_for_nothing(resources_for: Callable[..., Resources]) -> None:
    slept: list[float] = []
    pace = Pace(resources_for().database, 2, sleep=slept.append)
    pace.wait_for_slot()
    assert slept == []
    pace.wait_for_slot()
    assert len(slept) == 1
    assert 0 < slept[0] <= 1 / 2 * 1.1


def test_no_limit_is_no_query() -> None:
    began, no_database = time.monotonic(), None
    pace = Pace(no_database, 0)  # type: ignore[arg-type]  # it must not be asked
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: pace.wait_for_slot(), range(100)))
    assert time.monotonic() - began < 1


def test_a_slot_outlives_the_process_that_took_it(resources_for: Callable[..., Resources], database_url: str) -> None:
    """Another process, on another host even, goes on where the first one stopped."""
    Pace(resources_for().database, 2, sleep=lambda _: None).wait_for_slot()
    other = Database(database_url, application_name="other", pool_size=1, statement_limit=10)
    slept: list[float] = []
    Pace(other, 2, sleep=slept.append).wait_for_slot()
    other.close()
    assert len(slept) == 1
