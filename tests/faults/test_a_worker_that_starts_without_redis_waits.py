"""A worker service started while Redis is away says so, stays quiet, and takes jobs when Redis comes."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from deploy.local.child import Child
from deploy.local.services import service
from deploy.local.valkey import ValkeyServer
from tests.faults.processes import worker_of
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until

WAITS = "the worker waits for Redis"


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def worker(stack: Stack, own_valkey: ValkeyServer, lines: list[str], tmp_path: Path) -> Iterator[Child]:
    own_valkey.stop()
    stack.environ["REDIS_URL"] = own_valkey.url
    # The sweep keeps out of it: what is done is done by the worker.
    stack.environ["SWEEP_AFTER_SECONDS"] = "600"
    child = service("worker", stack.environ, tmp_path, lines.append)
    child.start()
    yield child
    child.stop()


def test_it_says_so_once_and_takes_jobs_when_redis_is_there(
    worker: Child, stack: Stack, own_valkey: ValkeyServer, lines: list[str]
) -> None:
    wait_until(lambda: sum(WAITS in line for line in lines) == 1, 30, what="it waits")
    own_valkey.start()
    stack.start_api()
    manager = Manager(stack.api_url, stack.log_in())

    answer = manager.create()

    assert answer.status_code == 202
    manager.wait_for(answer.json()["request_id"], "provisioned")
    assert len([line for line in lines if "Traceback" in line or WAITS in line]) == 1, lines


def test_one_that_takes_no_writes_is_waited_for_too(
    worker: Child, stack: Stack, own_valkey: ValkeyServer, lines: list[str]
) -> None:
    """As a replica is, or a server without memory: it answers, and is of no use."""
    own_valkey.start()
    with Redis.from_url(own_valkey.url) as redis:
        redis.config_set("min-replicas-to-write", 1)
        wait_until(lambda: any(WAITS in line for line in lines), 30, what="it waits")
        waiting = worker_of(worker)
        stack.start_api()
        manager = Manager(stack.api_url, stack.log_in())
        assert manager.create().status_code == 201
        time.sleep(4)  # the fault itself: how long it lasts
        assert sum("lost Redis" in line for line in lines) <= 1, "it does not try again and again"
        redis.config_set("min-replicas-to-write", 0)

    queued = wait_until(lambda: _queued(manager), 10, what="202")
    manager.wait_for(queued, "provisioned")
    assert worker_of(worker) == waiting, "no process was started anew for it"


def _queued(manager: Manager) -> str | None:
    answer = manager.create()
    return answer.json()["request_id"] if answer.status_code == 202 else None


def test_it_ends_at_once_while_it_waits(worker: Child, lines: list[str]) -> None:
    wait_until(lambda: sum(WAITS in line for line in lines) == 1, 30, what="it waits")
    worker.stop_limit = 5
    assert worker.stop(), "it had to be killed"
