"""Contract 9.7: over all workers and sweeps never more than the limit in any second, every slot used, and hardly
a slot wasted while work waits; also while Redis goes away in mid-backlog and while workers are replaced."""

import signal
import time
from bisect import bisect_left
from collections.abc import Callable

import psycopg2
import pytest

from deploy.local.valkey import ValkeyServer
from tests.faults.load import Load
from tests.faults.processes import sweep_of, worker_of
from tests.invariants import assert_all_kept, count, wait_until_finished, wait_until_settled
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until

LIMIT = 10
BACKLOG = 90
START_WITHIN = 0.05
USED_AT_LEAST = 0.85
# The machine that runs this is shared: a start that came late by the machine is told apart from one that comes late by
# the code by their number. Where nothing else runs, none is late: docs/promises.md.
LATE_STARTS_AT_MOST = 0.1

# Written by the database itself, so that nobody's clock but its own is read.
KEEP_SLOTS = """
    CREATE TABLE slots (granted timestamptz, asked timestamptz DEFAULT clock_timestamp());
    CREATE TABLE starts (at timestamptz);
    CREATE FUNCTION keep_slot() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO slots (granted) VALUES (NEW.last_slot); RETURN NEW; END $$;
    CREATE TRIGGER keep AFTER UPDATE ON worker_pace FOR EACH ROW EXECUTE FUNCTION keep_slot();
    CREATE FUNCTION keep_start() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO starts VALUES (NEW.at); RETURN NEW; END $$;
    CREATE TRIGGER keep AFTER INSERT ON request_steps FOR EACH ROW WHEN (NEW.step = 'attempt_started')
        EXECUTE FUNCTION keep_start();
"""
# From each start back to its slot: slots stand 110 ms apart, so it is the last one before it.
DELAYS = """
    SELECT to_timestamp(extract(epoch FROM s.at - (SELECT max(granted) FROM slots WHERE granted <= s.at)))
    FROM starts s"""
FINISHED = "SELECT count(*) FROM provisioning_requests WHERE status = 'provisioned'"


@pytest.mark.long
def test_over_workers_an_outage_of_redis_and_a_restart(
    stack: Stack, own_valkey: ValkeyServer, measured: Callable[[str, float], None]
) -> None:
    url = stack.environ["DATABASE_URL"]
    _run(url, KEEP_SLOTS)
    stack.environ.update(REDIS_URL=own_valkey.url, WORKER_RATE_LIMIT=str(LIMIT))
    stack.start_api(processes=2)
    with Load([stack.api_url], stack.log_in(), per_second=60) as load:
        wait_until(lambda: len(load.customers) >= BACKLOG, 20, what="the backlog")
    first, second = stack.start_worker(), stack.start_worker()
    for service in (first, second):
        wait_until(lambda service=service: worker_of(service) and sweep_of(service), 20)

    wait_until(lambda: count(url, FINISHED) >= 40, 30, what="the first part, from the queue and by the sweep")
    own_valkey.stop()
    wait_until(lambda: count(url, FINISHED) >= 65, 30, what="the second part, without Redis")
    second.signal(signal.SIGTERM)
    own_valkey.start()
    assert second.wait(15) is not None
    second.start()
    wait_until_finished(url, 30)

    slots, starts = (
        _seconds(url, "SELECT granted FROM slots"),
        _seconds(url, "SELECT at FROM starts"),
    )
    assert max(_within_a_second(slots)) <= LIMIT
    used = len(starts) / ((starts[-1] - starts[0]) * LIMIT)
    wasted = len(slots) - len(starts)
    measured("rate: most slots in a second", max(_within_a_second(slots)))
    measured("rate: share of the rate left unused", 1 - used)
    measured("rate: slots granted and not used", wasted)
    assert used >= USED_AT_LEAST
    late = [delay for delay in _seconds(url, DELAYS) if delay > START_WITHIN]
    measured("rate: share of starts later than 50 ms after their slot", len(late) / len(starts))
    assert len(late) <= LATE_STARTS_AT_MOST * len(starts), sorted(late)
    wait_until_settled(url, 5)
    assert_all_kept(url, load.accepted)


@pytest.mark.parametrize(("limit", "concurrency", "services"), [(1, 5, 2), (2, 50, 1), (50, 100, 1)])
@pytest.mark.long
def test_any_rate_with_any_concurrency(stack: Stack, limit: int, concurrency: int, services: int) -> None:
    """No job waits for its slot inside a limit, so that none is given up, and no process is taken to hang."""
    url = stack.environ["DATABASE_URL"]
    _run(url, KEEP_SLOTS)
    stack.environ.update(
        WORKER_RATE_LIMIT=str(limit), WORKER_CONCURRENCY=str(concurrency), SWEEP_AFTER_SECONDS="1", API_RATE_LIMIT="0"
    )
    stack.start_api()
    backlog = max(10, 4 * limit)
    manager = Manager(stack.api_url, stack.log_in())
    accepted = [manager.create().json()["request_id"] for _ in range(backlog)]
    workers = [stack.start_worker() for _ in range(services)]
    for one in workers:
        wait_until(lambda one=one: worker_of(one) and sweep_of(one), 20)
    first = [(worker_of(one), sweep_of(one)) for one in workers]

    wait_until_finished(url, 20 + 1.3 * backlog / limit)

    starts = _seconds(url, "SELECT at FROM starts")
    assert max(_within_a_second(starts)) <= limit + max(1, limit // 10), "a start may be late by 50 ms"
    assert (len(starts) - 1) / ((starts[-1] - starts[0]) * limit) >= USED_AT_LEAST
    assert manager.metrics()["failed"] == 0, "none is in RQ's failed registry"
    assert [(worker_of(one), sweep_of(one)) for one in workers] == first, "no process was started anew"
    wait_until_settled(url, 20)
    assert_all_kept(url, accepted)
    assert count(url, "SELECT count(*) FROM provisioning_requests WHERE attempts <> 1") == 0


def test_an_idle_system_waits_for_nothing(stack: Stack) -> None:
    url = stack.environ["DATABASE_URL"]
    stack.start_api()
    stack.start_worker()
    manager = Manager(stack.api_url, stack.log_in())
    manager.wait_for(manager.create().json()["request_id"], "provisioned", 20)
    _run(url, KEEP_SLOTS)
    for _ in range(6):
        time.sleep(2 / LIMIT)  # idle, for longer than two slots are apart
        manager.wait_for(manager.create().json()["request_id"], "provisioned")
    assert count(url, "SELECT count(*) FROM slots WHERE granted <= asked") == 6


def _within_a_second(moments: list[float]) -> list[int]:
    """For each moment, how many there are in the second that begins with it."""
    return [bisect_left(moments, moment + 1.0) - number for number, moment in enumerate(moments)]


def _seconds(url: str, query: str) -> list[float]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return sorted(at.timestamp() for (at,) in cursor.fetchall())
    finally:
        connection.close()


def _run(url: str, statements: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statements)
    connection.close()
