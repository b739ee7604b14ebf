"""kill -9 on processes of API, worker and sweep at any moment of a load: each 2xx still ends as one customer."""

import random
import signal
import time
from collections.abc import Callable

import psycopg2

from tests.faults.load import Load
from tests.faults.processes import api_processes, send, sweep_of, worker_of
from tests.invariants import assert_all_kept, assert_mails_arrived, count, wait_until_finished, wait_until_settled
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until

KILLS = 8
CLAIMING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
SEED = 7


def test_processes_killed_at_random_moments_under_load(stack: Stack) -> None:
    url = stack.environ["DATABASE_URL"]
    # An attempt more than the default: a request may meet its death twice in this massacre.
    stack.environ.update(WORKER_RATE_LIMIT="40", JOB_MAX_ATTEMPTS="6")
    api = stack.start_api(processes=2)
    worker = stack.start_worker()
    rng = random.Random(SEED)
    victims = {
        "API": lambda: api_processes(api),
        "worker": lambda: [found for found in [worker_of(worker)] if found],
        "sweep": lambda: [found for found in [sweep_of(worker)] if found],
    }
    wait_until(lambda: worker_of(worker), 20)

    with Load([stack.api_url], stack.log_in()) as load:
        for number in range(KILLS):
            time.sleep(rng.uniform(0.2, 0.8))  # the random moment
            kind = list(victims)[number % len(victims)]
            send(signal.SIGKILL, [rng.choice(wait_until(victims[kind], 20, what=f"a process of the {kind}"))])

    assert all(seen.status in (0, 201, 202, 409) for seen in load.tries), [str(seen) for seen in load.tries]
    assert len(load.accepted) == len(load.customers), "a client that insists with its key has its customer"
    wait_until_settled(url, 40)
    assert_all_kept(url, load.accepted)
    assert_mails_arrived(url, stack.mail_folder)


def test_a_worker_killed_between_the_queue_and_the_claim(
    stack: Stack, slow_down: Callable[[str, float, str], None], measured: Callable[[str, float], None]
) -> None:
    """What it has taken off the queue is nowhere in Redis any more, and nobody has claimed it."""
    url = stack.environ["DATABASE_URL"]
    stack.environ["WORKER_RATE_LIMIT"] = "0"
    stack.start_api()
    manager = Manager(stack.api_url, stack.log_in())
    accepted = [manager.create(f"taken-{number}@example.com").json()["request_id"] for number in range(20)]
    slow_down("request_steps", 1.0, "taken-%")  # so that the claim of all of them can be met
    worker = stack.start_worker()
    wait_until(lambda: count(url, CLAIMING), 20, what="a claim under way")
    assert manager.metrics()["waiting"] == 0, "all are taken off the queue"
    send(signal.SIGKILL, [found for found in [worker_of(worker)] if found])
    killed_at = time.monotonic()
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER slow ON request_steps")
    connection.close()

    wait_until_finished(url, 15)
    took = time.monotonic() - killed_at
    measured("work taken off the queue and not claimed, taken by the sweep after (s)", took)
    assert took < 10
    wait_until_settled(url, 5)
    assert_all_kept(url, accepted)


def test_the_whole_service_killed_is_made_good_by_another(stack: Stack, measured: Callable[[str, float], None]) -> None:
    url = stack.environ["DATABASE_URL"]
    stack.environ["WORKER_RATE_LIMIT"] = "0"
    stack.start_api()
    doomed, other = stack.start_worker(), stack.start_worker()
    manager = Manager(stack.api_url, stack.log_in())
    manager.wait_for(manager.create().json()["request_id"], "provisioned")

    with Load([stack.api_url], manager.token, per_second=40) as load:
        time.sleep(1)
        doomed.kill()
        killed_at = time.monotonic()
    wait_until_finished(url, 15)
    took = time.monotonic() - killed_at
    measured("work of a killed worker service resumed after (s)", took)
    assert took < 10

    assert other.alive
    wait_until_settled(url, 1)
    assert_all_kept(url, load.accepted)
