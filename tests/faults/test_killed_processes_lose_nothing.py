"""kill -9 on processes of API, worker and sweep at any moment of a load: each 2xx still ends as one customer."""

import random
import signal
import time
from collections.abc import Callable

from tests.faults.load import Load
from tests.faults.processes import api_processes, send, sweep_of, worker_of
from tests.invariants import assert_all_kept, assert_mails_arrived, wait_until_finished, wait_until_settled
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until

KILLS = 8
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
    assert len(load.accepted) == len(load.wishes), "a client that insists with its key has its customer"
    wait_until_settled(url, 40)
    assert_all_kept(url, load.accepted)
    assert_mails_arrived(url, stack.mail_folder)


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
    measured("work of a killed worker service taken up after (s)", took)
    assert took < 10

    assert other.alive
    wait_until_settled(url, 1)
    assert_all_kept(url, load.accepted)
