"""A name server that does not answer holds nobody up: not a create, not the queue, not the end of a process."""

import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from redis.connection import SSLConnection

from deploy.local.data_folder import free_port
from deploy.local.services import service
from tests.resources import Resources
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_shared.errors import DatabaseUnavailable, QueueUnavailable
from tripwire_shared.network.name_lookups import NameLookups
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.timings import ADDRESSES_KEPT, CONNECT_TIMEOUT, REDIS_TIMEOUT

SLACK = 0.5


class Resolver:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        assert self.answers.wait(20)
        if host == "nowhere.example":
            raise socket.gaierror("not known")
        return ("192.0.2.1", "192.0.2.2")


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    resolver = Resolver()
    yield resolver
    resolver.answers.set()


def test_who_asks_waits_no_longer_than_they_want_and_nobody_asks_twice(resolver: Resolver) -> None:
    lookups = NameLookups(resolver)
    began = time.monotonic()
    for _ in range(5):
        with pytest.raises(TimeoutError):
            lookups.addresses("a.example", 0.05)
    assert time.monotonic() - began < 5 * 0.05 + SLACK
    assert resolver.asked == ["a.example"]
    resolver.answers.set()
    assert lookups.addresses("a.example", 5) == ("192.0.2.1", "192.0.2.2")
    assert lookups.addresses("b.example", 5) == ("192.0.2.1", "192.0.2.2")
    with pytest.raises(socket.gaierror, match="not known"):
        lookups.addresses("nowhere.example", 5)


def test_what_came_late_is_kept_for_a_moment_and_what_came_in_time_is_not(resolver: Resolver) -> None:
    now = [100.0]
    lookups = NameLookups(resolver, lambda: now[0])
    with pytest.raises(TimeoutError):
        lookups.addresses("a.example", 0.01)
    now[0] += 1  # so long it took
    resolver.answers.set()
    wait_until(lambda: not lookups._under_way)
    assert lookups.addresses("a.example", 0) == ("192.0.2.1", "192.0.2.2")
    assert resolver.asked == ["a.example"]
    now[0] += ADDRESSES_KEPT
    for _ in range(2):
        lookups.addresses("a.example", 5)
        wait_until(lambda: not lookups._under_way)
    assert resolver.asked == ["a.example"] * 3


def test_a_process_connects_by_names_within_its_limits(
    resources_for: Callable[..., Resources], database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch,
    resolver: Resolver,
) -> None:  # fmt: skip
    named = [url.replace("127.0.0.1", "localhost") for url in (database_url, redis_url)]
    well = resources_for("api", database_url=named[0], redis_url=named[1])
    assert well.mode_store.read()
    well.request_queue.ping()
    monkeypatch.setattr(NameLookups.__init__, "__defaults__", (resolver, time.monotonic))
    for service_name in ("api", "sweep"):
        hanging = resources_for(service_name, database_url=named[0], redis_url=named[1])
        began = time.monotonic()
        with pytest.raises(QueueUnavailable):
            hanging.request_queue.ping()
        assert REDIS_TIMEOUT <= time.monotonic() - began < REDIS_TIMEOUT + 0.1, "and is not tried twice"
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable), hanging.database.connection():
            pass
        assert time.monotonic() - began < CONNECT_TIMEOUT + SLACK
    assert set(resolver.asked) == {"localhost"}


def test_tls_still_checks_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = build_fail_fast_redis("rediss://localhost:1/0", 1).connection_pool.make_connection()
    assert isinstance(connection, SSLConnection)
    seen: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection.port = server.getsockname()[1]
        monkeypatch.setattr(connection, "_wrap_socket_with_ssl", lambda sock: seen.append(connection.host) or sock)
        connection._connect().close()
    assert seen == ["localhost"]


@pytest.fixture
def silent_name_server(tmp_path: Path) -> Iterator[list[str]]:
    """What a command begins with so that its process asks a name server that never answers."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("a name server of a process' own needs root")
    conf = tmp_path / "resolv.conf"
    address = "127.0.53.53"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((address, 53))
        conf.write_text(f"nameserver {address}\n", encoding="ascii")
        mount = f'mount --bind {shlex.quote(str(conf))} /etc/resolv.conf && exec "$0" "$@"'
        yield ["unshare", "--mount", "sh", "-c", mount]


class HangingStack(Stack):
    prefix: list[str]

    def start_hanging(self, name: str, variables: dict[str, str]) -> None:
        child = service(name, {**self.environ, **variables}, self.folder, lambda line: print(f"{name} | {line}"))
        child.command = [*self.prefix, *child.command]
        child.start()
        self.children.append(child)


@pytest.mark.slow
@pytest.mark.long
def test_a_real_name_server_that_is_silent_delays_no_create_and_no_end(
    tmp_path: Path, database_url: str, redis_url: str, silent_name_server: list[str]
) -> None:
    stack = HangingStack(tmp_path, database_url, redis_url)
    stack.prefix = silent_name_server
    hanging = redis_url.replace("127.0.0.1", "redis.test")
    port = free_port()
    try:
        stack.start_hanging("api", {"API_PORT": str(port), "WEB_CONCURRENCY": "1", "REDIS_URL": hanging})
        stack.start_hanging("worker", {"REDIS_URL": hanging, "DATABASE_URL": database_url})
        stack.api_url = f"http://127.0.0.1:{port}"
        stack._wait_for(stack.children[0], f"{stack.api_url}/readyz")
        manager = Manager(stack.api_url, stack.log_in())
        for _ in range(5):
            began = time.monotonic()
            assert manager.create().status_code == 201
            assert time.monotonic() - began < 0.3 + SLACK
        began = time.monotonic()
        for child in stack.children:
            child.signal(signal.SIGTERM)
        for child in stack.children:
            assert child.wait(8) == 0
        assert time.monotonic() - began < 8
    finally:
        stack.stop()


@pytest.mark.slow
@pytest.mark.long
def test_postgresql_behind_a_silent_name_server_is_refused_in_time(
    tmp_path: Path, database_url: str, redis_url: str, silent_name_server: list[str]
) -> None:
    stack = HangingStack(tmp_path, database_url.replace("127.0.0.1", "postgres.test"), redis_url)
    stack.prefix = silent_name_server
    port = free_port()
    try:
        stack.start_hanging("api", {"API_PORT": str(port), "WEB_CONCURRENCY": "1"})
        stack.start_hanging("worker", {})
        url = f"http://127.0.0.1:{port}"
        stack._wait_for(stack.children[0], f"{url}/healthz")
        for _ in range(4):
            began = time.monotonic()
            answer = requests.get(f"{url}/readyz", timeout=10)
            assert (answer.status_code, answer.json()["database"]) == (503, "down")
            assert time.monotonic() - began < 2 + SLACK
        time.sleep(3)  # each of the worker's processes waits for an answer by now
        began = time.monotonic()
        for child in stack.children:
            child.signal(signal.SIGTERM)
        for child in stack.children:
            assert child.wait(12) is not None
        assert time.monotonic() - began < 8
    finally:
        stack.stop()
