"""Redis away for long, idle or at work: the workers take jobs from the queue again within 2 s of its return."""

import time
from collections.abc import Callable

import pytest

from deploy.local.valkey import ValkeyServer
from tests.invariants import assert_nothing_broken, count
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until

BACK_WITHIN = 2.0
# The machine that runs the tests is busy with the stack itself.
SLACK = 0.5
# So long a head start that the sweep has no part in this: what is resumed comes from the queue.
NO_SWEEP = {"SWEEP_AFTER_SECONDS": "600"}


@pytest.fixture
def stack(stack: Stack, own_valkey: ValkeyServer) -> Stack:
    stack.environ["REDIS_URL"] = own_valkey.url
    return stack


@pytest.mark.timeout(120)
def test_jobs_are_taken_from_the_queue_within_two_seconds_however_long_it_was_away(
    stack: Stack, own_valkey: ValkeyServer, measured: Callable[[str, float], None]
) -> None:
    stack.environ.update(NO_SWEEP)
    stack.start_api()
    stack.start_worker()
    manager = Manager(stack.api_url, stack.log_in())
    manager.wait_for_workers()
    # RQ's own waits double: 1, 2, 4, 8 s. After four seconds, or twelve, it would sleep for three more.
    for how, seconds in (("freeze", 3), ("stop", 4), ("freeze", 12)):
        getattr(own_valkey, how)()
        assert manager.create().status_code == 201
        time.sleep(seconds)  # the fault itself: how long Redis is away

        {"stop": own_valkey.start, "freeze": own_valkey.thaw}[how]()
        back_at = time.monotonic()

        first = wait_until(lambda: _queued(manager), 5, step=0.05, what="202")
        accepted_after = time.monotonic() - back_at
        found = manager.wait_for(first, "provisioned", 10)
        taken_after = time.monotonic() - back_at
        measured("Redis back: 202 again (s)", accepted_after)
        measured("Redis back: a worker took a job from the queue (s)", taken_after)
        assert found["steps"][1]["detail"]["door"] == "queue"
        assert taken_after < BACK_WITHIN + SLACK
    assert_nothing_broken(stack.environ["DATABASE_URL"])


def test_workers_that_lose_redis_in_the_middle_of_jobs_are_replaced(stack: Stack, own_valkey: ValkeyServer) -> None:
    url = stack.environ["DATABASE_URL"]
    stack.start_api()
    stack.start_worker()
    manager = Manager(stack.api_url, stack.log_in())
    manager.wait_for_workers()
    accepted = [manager.create().json()["request_id"] for _ in range(25)]
    wait_until(lambda: count(url, "SELECT count(*) FROM provisioning_requests WHERE status = 'provisioned'") > 2, 10)

    own_valkey.stop()  # at ten a second most still wait, and some are under way
    time.sleep(5)
    own_valkey.start()

    for request_id in accepted:
        manager.wait_for(request_id, "provisioned", 20)
    wait_until(lambda: manager.metrics()["redis"] == "up", 5)
    # The replaced ones' names stay at Redis for minutes; none of them is counted.
    manager.wait_for_workers()
    again = wait_until(lambda: _queued(manager), 5, step=0.05, what="202")
    assert manager.wait_for(again, "provisioned", 10)["steps"][1]["detail"]["door"] == "queue"
    assert_nothing_broken(url)


def _queued(manager: Manager) -> str | None:
    answer = manager.create()
    assert answer.status_code in (201, 202), answer.text
    return answer.json()["request_id"] if answer.status_code == 202 else None
