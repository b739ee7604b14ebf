"""Where the master is, is asked anew for each connection: silence costs one time-out, a wrong word is contradicted, and
nobody talks to the master before any longer."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
from redis import Redis
from redis.exceptions import RedisError

from deploy.local.data_folder import free_port
from deploy.local.preflight import complaint_about_redis
from deploy.local.valkey import ValkeyServer
from tests.resources import Resources
from tests.sentinel_stand_in import SentinelStandIn, url_of
from tests.waiting import wait_until
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.queue.redis_link import ReadOnlyServer, build_fail_fast_redis
from tripwire_shared.queue.redis_master import NoMaster
from tripwire_shared.timings import REDIS_TIMEOUT

PASSWORD = "valkey-of-tests"
SLACK = 0.15


class Sentinel(Protocol):
    def __call__(self, port: int | None, *, refuses: bool = False) -> SentinelStandIn: ...


@pytest.fixture
def sentinel() -> Iterator[Sentinel]:
    with ExitStack() as stack:

        def make(port: int | None, *, refuses: bool = False) -> SentinelStandIn:
            made = SentinelStandIn(port, refuses=refuses)
            stack.callback(made.stop)
            return made

        yield make


@pytest.fixture
def other_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path / "other", free_port(), password=PASSWORD, write_line=lambda _: None, durable=False)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def seconds(do: Callable[[], object]) -> float:
    began = time.monotonic()
    do()
    return time.monotonic() - began


def connections(valkey: ValkeyServer) -> int:
    """Those of others."""
    with Redis.from_url(valkey.url) as redis:
        return len(redis.client_list(_type="normal")) - 1


def demote(valkey: ValkeyServer, master: ValkeyServer) -> None:
    with Redis.from_url(valkey.url) as redis:
        redis.config_set("masterauth", PASSWORD)
        redis.replicaof("127.0.0.1", master.port)


def test_one_that_is_silent_costs_one_time_out_and_is_asked_last_from_then_on(
    sentinel: Sentinel, valkey: ValkeyServer
) -> None:
    silent, knows = sentinel(None), sentinel(valkey.port)
    redis = build_fail_fast_redis(url_of(silent, knows, password=PASSWORD), 2)
    assert REDIS_TIMEOUT <= seconds(redis.ping) < REDIS_TIMEOUT + SLACK
    redis.connection_pool.disconnect()
    assert seconds(redis.ping) < SLACK
    assert (silent.asked, knows.asked) == (1, 2)


def test_where_all_are_silent_each_is_asked_once(
    resources_for: Callable[..., Resources], sentinel: Sentinel, valkey: ValkeyServer
) -> None:
    all_of_them = [sentinel(None) for _ in range(3)]
    queue = resources_for("api", redis_url=url_of(*all_of_them, password=PASSWORD)).request_queue

    def push() -> None:
        with pytest.raises(QueueUnavailable, match="NoMaster"):
            queue.push([uuid4()])

    assert seconds(push) < 3 * REDIS_TIMEOUT + SLACK
    assert [one.asked for one in all_of_them] == [1, 1, 1]


def test_who_is_more_patient_with_redis_is_not_with_a_sentinel(sentinel: Sentinel, valkey: ValkeyServer) -> None:
    """The worker's main loop owes a sign of life."""
    redis = build_fail_fast_redis(url_of(*(sentinel(None) for _ in range(3)), password=PASSWORD), 1, timeout=2.0)
    began = time.monotonic()
    with pytest.raises(NoMaster):
        redis.ping()
    assert time.monotonic() - began < 3 * REDIS_TIMEOUT + SLACK


@pytest.mark.parametrize("wrong", ["nothing listens there", "a replica", "it knows none"])
def test_one_that_is_wrong_is_contradicted(
    sentinel: Sentinel, valkey: ValkeyServer, own_valkey: ValkeyServer, wrong: str
) -> None:
    if wrong == "a replica":
        demote(own_valkey, valkey)
    port = {"nothing listens there": 9, "a replica": own_valkey.port, "it knows none": 0}[wrong]
    redis = build_fail_fast_redis(url_of(sentinel(port), sentinel(port), sentinel(valkey.port), password=PASSWORD), 2)
    assert redis.set("x", 1)


def test_a_frozen_master_that_several_name_costs_one_time_out(sentinel: Sentinel, own_valkey: ValkeyServer) -> None:
    three = [sentinel(own_valkey.port) for _ in range(3)]
    redis = build_fail_fast_redis(url_of(*three, password=PASSWORD), 2)
    own_valkey.freeze()
    try:
        began = time.monotonic()
        with pytest.raises(RedisError):
            redis.ping()
        assert time.monotonic() - began < REDIS_TIMEOUT + SLACK
    finally:
        own_valkey.thaw()


def test_connections_to_the_master_before_are_dropped_and_the_pool_stays_bounded(
    sentinel: Sentinel, own_valkey: ValkeyServer, other_valkey: ValkeyServer
) -> None:
    knows = sentinel(own_valkey.port)
    redis = build_fail_fast_redis(url_of(knows, password=PASSWORD), 4)
    pool = redis.connection_pool
    used, idle = [pool.get_connection(), pool.get_connection()], pool.get_connection()
    pool.release(idle)
    assert connections(own_valkey) == 3
    knows.master_port = other_valkey.port
    idle.disconnect()  # it is this one's turn, and it has to connect anew
    redis.ping()
    for connection in used:
        pool.release(connection)
    wait_until(lambda: connections(own_valkey) == 0)
    for _ in range(3):  # what was dropped does not count as there
        taken = [pool.get_connection() for _ in range(4)]
        with pytest.raises(RedisError, match="Too many"):
            pool.get_connection()
        for connection in taken:
            pool.release(connection)
    assert connections(other_valkey) == 4


def test_idle_connections_to_the_master_before_are_dropped_at_once(
    sentinel: Sentinel, own_valkey: ValkeyServer, other_valkey: ValkeyServer
) -> None:
    """A frozen one would cost a time-out each."""
    knows = sentinel(own_valkey.port)
    redis = build_fail_fast_redis(url_of(knows, password=PASSWORD), 4)
    idle = [redis.connection_pool.get_connection() for _ in range(4)]
    for connection in idle:
        redis.connection_pool.release(connection)
    own_valkey.freeze()
    try:
        knows.master_port = other_valkey.port
        with pytest.raises(RedisError):
            redis.ping()
        taken: list[object] = []
        assert seconds(lambda: taken.extend(redis.connection_pool.get_connection() for _ in range(4))) < SLACK
        assert all(connection.place == ("127.0.0.1", other_valkey.port) for connection in taken)
    finally:
        own_valkey.thaw()


def test_a_demoted_master_is_left_within_the_same_call(
    resources_for: Callable[..., Resources], sentinel: Sentinel, own_valkey: ValkeyServer, other_valkey: ValkeyServer
) -> None:
    knows = sentinel(own_valkey.port)
    queue = resources_for("api", redis_url=url_of(knows, password=PASSWORD)).request_queue
    queue.push([uuid4()])
    demote(own_valkey, other_valkey)
    knows.master_port = other_valkey.port
    queue.push([uuid4()])
    assert queue.counts().waiting == 1, "what the master before had is the sweep's"


def test_without_sentinels_a_demoted_server_is_a_failure_and_its_connections_are_dropped(
    resources_for: Callable[..., Resources], own_valkey: ValkeyServer, valkey: ValkeyServer
) -> None:
    resources = resources_for("api", redis_url=own_valkey.url)
    pool = resources.request_queue._redis.connection_pool
    for connection in [pool.get_connection() for _ in range(3)]:
        pool.release(connection)
    demote(own_valkey, valkey)
    for _ in range(2):
        with pytest.raises(QueueUnavailable, match=ReadOnlyServer.__name__):
            resources.request_queue.push([uuid4()])
        wait_until(lambda: connections(own_valkey) == 0)
    with Redis.from_url(own_valkey.url) as redis:
        redis.replicaof("NO", "ONE")
    resources.request_queue.push([uuid4()])


def test_the_complaint_at_the_start_says_where_and_why_and_no_secret(sentinel: Sentinel, valkey: ValkeyServer) -> None:
    refuses, unknowing = sentinel(valkey.port, refuses=True), sentinel(0)
    query = "?sentinel_username=user&sentinel_password=hidden%20one"
    for wrong, why in ((refuses, "no such pair"), (unknowing, "a Sentinel knows no master tripwire")):
        said = complaint_about_redis(url_of(wrong, password="hidden", query=query)) or ""
        where = f"tripwire of the Sentinels 127.0.0.1:{wrong.own_port}"
        assert said == f"Redis at {where} cannot be used: No Sentinel says where the master is: {why}"
    assert b"hidden one" in refuses.greeted
    said = complaint_about_redis(url_of(sentinel(valkey.port), password="hidden")) or ""
    assert "invalid username-password pair" in said
    assert "hidden" not in said
    assert complaint_about_redis(url_of(sentinel(valkey.port), password=PASSWORD, query=query)) is None
