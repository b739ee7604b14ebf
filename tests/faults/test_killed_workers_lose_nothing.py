"""kill -9 on worker processes under load: each accepted request still ends as one customer, one sale, one mail."""

import os
import signal
import time

import psutil

from tests.invariants import assert_nothing_broken, count
from tests.manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until

REQUESTS = 60
UNFINISHED = "SELECT count(*) FROM provisioning_requests WHERE status = 'accepted'"


def test_children_of_the_pool_and_the_sweep_killed_again_and_again(stack: Stack) -> None:
    url = stack.environ["DATABASE_URL"]
    stack.start_api()
    worker = stack.start_worker(WORKER_RATE_LIMIT="30")
    manager = Manager(stack.api_url, stack.log_in())

    accepted = []
    for number in range(REQUESTS):
        answer = manager.create()
        assert answer.status_code in (201, 202)
        accepted.append(answer.json()["request_id"])
        if number % 10 == 5:
            _kill_one_below(worker.pid, number)
    wait_until(lambda: count(url, UNFINISHED) == 0, 30)

    assert count(url, "SELECT count(*) FROM sales") == len(accepted)
    assert_nothing_broken(url)
    wait_until(lambda: count(url, "SELECT count(*) FROM outbox WHERE status <> 'sent'") == 0, 40)


def test_work_of_a_killed_service_is_taken_up_within_ten_seconds(stack: Stack) -> None:
    url = stack.environ["DATABASE_URL"]
    stack.start_api()
    manager = Manager(stack.api_url, stack.log_in())
    frozen = stack.start_worker()
    first = manager.create().json()["request_id"]
    manager.wait_for(first, "provisioned")
    # Stopped, not killed: its connections stay open, as when a host vanishes from the network.
    for process in [psutil.Process(frozen.pid), *psutil.Process(frozen.pid).children(recursive=True)]:
        process.send_signal(signal.SIGSTOP)
    accepted = [manager.create().json()["request_id"] for _ in range(5)]
    stack.start_worker()
    began = time.monotonic()

    for request_id in accepted:
        manager.wait_for(request_id, "provisioned", 12)

    assert time.monotonic() - began < 10
    assert_nothing_broken(url)
    for process in psutil.Process(frozen.pid).children(recursive=True):
        os.kill(process.pid, signal.SIGKILL)
    os.kill(frozen.pid, signal.SIGKILL)


def _kill_one_below(pid: int, number: int) -> None:
    children = psutil.Process(pid).children(recursive=True)
    if children:
        children[number % len(children)].kill()
