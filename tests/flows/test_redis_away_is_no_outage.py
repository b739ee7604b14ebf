"""Redis stopped or frozen: customers are created directly, one alert goes out, and all goes back by itself."""

import time
from collections.abc import Iterator

import pytest
from redis import Redis

from deploy.local.valkey import ValkeyServer
from tests.invariants import assert_nothing_broken, count
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until

# The machine that runs the tests is busy with the stack itself; the contract's own figures are measured by the bench.
SLACK = 0.3


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    server = TelegramServer()
    yield server
    server.stop()


@pytest.fixture
def stack(stack: Stack, own_valkey: ValkeyServer, telegram: TelegramServer) -> Stack:
    stack.environ["REDIS_URL"] = own_valkey.url
    stack.environ.update(telegram.variables)
    stack.start_api(processes=2)
    return stack


@pytest.mark.parametrize("how", ["stop", "freeze"])
def test_created_directly_and_alerted_once(
    stack: Stack, own_valkey: ValkeyServer, telegram: TelegramServer, how: str
) -> None:
    manager = Manager(stack.api_url, stack.log_in())
    assert manager.create().status_code == 202
    getattr(own_valkey, how)()
    failed_at = time.monotonic()

    took = []
    for _ in range(20):
        began = time.monotonic()
        answer = manager.create()
        took.append(time.monotonic() - began)
        assert (answer.status_code, answer.json().get("fallback")) == (201, True), answer.text
        assert answer.json()["status"] == "provisioned"
    assert max(took) < 0.3 + SLACK
    assert sorted(took)[len(took) // 2] < 0.1, "with the breaker open nobody waits for Redis"

    wait_until(lambda: telegram.texts("Redis queue failed! Auto-fallback to sync mode"), 3)
    assert telegram.messages[0].at - failed_at < 1.0 + SLACK
    figures = manager.metrics()
    assert figures["redis"] == "down"
    assert figures["waiting"] is None, "unknown, not 0"
    assert figures["incident"]["served_synchronously"] == 20

    {"stop": own_valkey.start, "freeze": own_valkey.thaw}[how]()
    back_at = time.monotonic()
    wait_until(lambda: manager.create().status_code == 202, 3, step=0.1)
    assert time.monotonic() - back_at < 2.0 + SLACK
    [resolved] = wait_until(lambda: telegram.texts("Type: RESOLVED"), 10)
    served = count(
        stack.environ["DATABASE_URL"],
        "SELECT count(*) FROM provisioning_requests WHERE mode = 'fallback' AND answer = 201",
    )
    assert f"requests_served_synchronously: {served}" in resolved
    assert len(telegram.texts("Redis queue failed")) == 1, "one alert for an outage, whatever the processes"
    assert_nothing_broken(stack.environ["DATABASE_URL"])


def test_what_was_accepted_before_is_finished_without_redis(stack: Stack, own_valkey: ValkeyServer) -> None:
    manager = Manager(stack.api_url, stack.log_in())
    accepted = [manager.create().json()["request_id"] for _ in range(5)]
    own_valkey.stop()

    stack.start_worker()

    for request_id in accepted:
        found = manager.wait_for(request_id, "provisioned", 20)
        assert found["steps"][1]["detail"]["door"] == "sweep"
    assert_nothing_broken(stack.environ["DATABASE_URL"])


def test_a_flushed_redis_loses_nothing(stack: Stack, own_valkey: ValkeyServer) -> None:
    manager = Manager(stack.api_url, stack.log_in())
    accepted = [manager.create().json()["request_id"] for _ in range(5)]
    with Redis.from_url(own_valkey.url) as redis:
        redis.flushall()

    stack.start_worker()

    for request_id in accepted:
        manager.wait_for(request_id, "provisioned", 20)
    assert_nothing_broken(stack.environ["DATABASE_URL"])
