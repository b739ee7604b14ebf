"""Alerts while Telegram hangs, while processes are killed, while PostgreSQL is away, and while everything fails."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg2
import pytest

from deploy.local.child import Child
from deploy.local.postgres import PostgresServer
from deploy.local.valkey import ValkeyServer
from tests.faults.processes import sweep_of
from tests.invariants import count
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until

Measured = Callable[[str, float], None]
DATABASE_AWAY = "PostgreSQL cannot be reached"
REFUSE_SALES = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused by a test'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON sales FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    server = TelegramServer()
    yield server
    server.stop()


class HungTelegram:
    """Takes connections and says nothing; from `wake` on it lets them through to a Telegram that works."""

    def __init__(self, behind: TelegramServer) -> None:
        self._behind = behind
        self._awake = threading.Event()
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=50)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def wake(self) -> None:
        self._awake.set()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, self._awake.is_set()), daemon=True).start()

    def _serve(self, connection: socket.socket, awake: bool) -> None:
        if not awake:
            time.sleep(60)  # until the other end gives up or dies
            return
        port = int(self._behind.url.rpartition(":")[2])
        with connection, socket.create_connection(("127.0.0.1", port)) as through:
            connection.settimeout(0.2)
            try:
                while part := connection.recv(65536):
                    through.sendall(part)
            except TimeoutError:
                pass
            connection.sendall(through.recv(65536))

    def stop(self) -> None:
        self._socket.close()


@pytest.fixture
def hung(telegram: TelegramServer) -> Iterator[HungTelegram]:
    server = HungTelegram(telegram)
    yield server
    server.stop()


def test_a_hung_telegram_slows_nobody_and_is_said_within_ten_seconds(
    stack: Stack, telegram: TelegramServer, hung: HungTelegram, measured: Measured
) -> None:
    stack.environ |= telegram.variables | {"TELEGRAM_API_URL": hung.url}
    stack.start_api(processes=2)
    stack.start_worker(WORKER_RATE_LIMIT="0")
    manager = Manager(stack.api_url, stack.log_in())
    manager.wait_for_workers()
    manager.switch("sync_direct")
    manager.switch("async_queue")
    began = time.monotonic()
    wait_until(lambda: hung.connections, 3)

    took = []
    for _ in range(20):
        at = time.monotonic()
        answer = manager.create()
        took.append(time.monotonic() - at)
        assert answer.status_code in (201, 202)  # 201: until the second switch is obeyed
        manager.wait_for(answer.json()["request_id"], "provisioned", 3)
    measured("hung Telegram: slowest create (s)", max(took))
    assert max(took) < 0.5

    wait_until(lambda: manager.metrics()["telegram"] == "failing", 10 - (time.monotonic() - began) + 0.5)
    url = stack.environ["DATABASE_URL"]
    said = "SELECT count(*) FROM system_health_logs WHERE event_type = 'WARNING' AND message LIKE 'Telegram does not%'"
    wait_until(lambda: count(url, said) == 1)
    hung.wake()
    wait_until(lambda: len(telegram.messages) == 2, 15)
    assert [message.text.count("sync_direct") > 0 for message in telegram.messages] == [True, True]
    assert "System mode changed to: sync_direct" in telegram.messages[0].text, "in order"
    over = "SELECT count(*) FROM incidents WHERE cause = 'alerts undeliverable' AND resolved_at IS NOT NULL"
    wait_until(lambda: count(url, over) == 1, 12)
    assert count(url, said) == 1, "said once"


def test_what_a_killed_process_had_in_hand_is_delivered_by_another(
    stack: Stack, telegram: TelegramServer, hung: HungTelegram, measured: Measured
) -> None:
    stack.environ |= telegram.variables | {"TELEGRAM_API_URL": hung.url}
    api = stack.start_api()
    manager = Manager(stack.api_url, stack.log_in())
    manager.switch("sync_direct")
    wait_until(lambda: hung.connections, 3, what="the API's process sends the alert")
    os.killpg(api.pid, signal.SIGKILL)
    killed_at = time.monotonic()
    hung.wake()
    stack.start_worker()

    [alert] = wait_until(lambda: telegram.texts("Type: SWITCH"), 20)
    measured("alert in the hand of a killed process: delivered by another (s)", time.monotonic() - killed_at)
    assert "sync_direct" in alert
    wait_until(lambda: count(stack.environ["DATABASE_URL"], "SELECT count(*) FROM outbox WHERE status <> 'sent'") == 0)
    assert len(telegram.messages) == 1


def test_a_storm_of_failing_requests_makes_one_message(stack: Stack, telegram: TelegramServer) -> None:
    url = stack.environ["DATABASE_URL"]
    stack.environ |= telegram.variables | {"JOB_MAX_ATTEMPTS": "1", "API_RATE_LIMIT": "0"}
    stack.start_api(processes=2)
    token = stack.log_in()
    manager = Manager(stack.api_url, token)
    manager.switch("sync_direct")
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(REFUSE_SALES)
    connection.close()
    wait_until(lambda: telegram.texts("Type: SWITCH"), 5)

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: Manager(stack.api_url, token).create().status_code, range(150)))
    assert set(statuses) == {202}
    [first] = wait_until(lambda: telegram.texts("Type: CRITICAL"), 5)
    assert "requests: 1" in first
    assert count(url, "SELECT count(*) FROM system_health_logs WHERE event_type = 'CRITICAL'") == 150
    assert count(url, "SELECT count(*) FROM incidents WHERE cause = 'requests failing'") == 1
    assert count(url, "SELECT (body #>> '{details,requests}')::int FROM outbox WHERE status = 'pending'") == 149
    assert len(telegram.messages) == 2


@pytest.mark.parametrize(("redis", "messages"), [("up", 1), ("away", 2)])
@pytest.mark.long
def test_postgresql_away_is_told_once_or_once_a_host(
    stack: Stack,
    own_postgres: PostgresServer,
    own_valkey: ValkeyServer,
    telegram: TelegramServer,
    redis: str,
    messages: int,
    measured: Measured,
) -> None:
    stack.environ |= telegram.variables | {"DATABASE_URL": own_postgres.url, "REDIS_URL": own_valkey.url}
    stack.start_api(processes=2)
    hosts = [stack.start_worker(WORKER_CONCURRENCY="1") for _ in range(2)]
    for host in hosts:
        wait_until(lambda: _looks_at(host, own_postgres), 40, what="the sweep process")  # noqa: B023  # at once
    manager = Manager(stack.api_url, stack.log_in())
    if redis == "away":
        own_valkey.stop()
        wait_until(lambda: len(telegram.messages) == 1, 8)
        time.sleep(2)  # the watches of both hosts have seen that it is told

    away_at = time.monotonic()
    own_postgres.stop()
    wait_until(lambda: len(telegram.texts(DATABASE_AWAY)) == messages, 10)
    measured(f"PostgreSQL away, Redis {redis}: told on Telegram (s)", time.monotonic() - away_at)
    for _ in range(4):
        assert manager.create().status_code == 503
    time.sleep(2)
    assert len(telegram.texts(DATABASE_AWAY)) == messages
    own_postgres.start()
    wait_until(lambda: telegram.texts("PostgreSQL is back"), 15)
    assert len(telegram.texts(DATABASE_AWAY)) == messages
    assert count(own_postgres.url, "SELECT count(*) FROM incidents WHERE cause = 'database unavailable'") == 1
    assert len(telegram.texts("Redis queue failed")) == (redis == "away"), "told before, and not told again"


def _looks_at(host: Child, server: PostgresServer) -> bool:
    """Whether the host's sweep process has begun: its watch and deliverers have their connections."""
    sweep = sweep_of(host)
    port = urlsplit(server.url).port
    return sweep is not None and any(one.raddr and one.raddr.port == port for one in sweep.net_connections())
