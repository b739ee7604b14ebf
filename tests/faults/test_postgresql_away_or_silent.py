"""PostgreSQL stopped, crashed or silent under load: 503 within two seconds, no hang, and back by itself."""

import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import requests

from deploy.local.child import Child
from deploy.local.postgres import PostgresServer
from tests.conftest import _postgres, migrate
from tests.faults.cable import Cable
from tests.faults.load import Load
from tests.faults.processes import api_processes, crash, freeze, thaw
from tests.invariants import assert_all_kept, wait_until_settled
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_api.parts import BACKGROUND_CONNECTIONS

AWAY = 2.8
ANSWERED_WITHIN = 2.0
BACK_WITHIN = 5.0
# The machine is busy with load, services and server at once.
SLACK = 0.3
# Fewer than there are clients: whoever waits for a silent server keeps the others from a thread.
THREADS = 2
CONNECTIONS = 2 * (THREADS + BACKGROUND_CONNECTIONS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Restarted and frozen again and again by the tests of this file, each of which leaves it running."""
    server = _postgres(tmp_path_factory.mktemp("postgres"))
    try:
        server.start()
        server.make_database()
        migrate(server.url)
        yield server
    finally:
        thaw(server)
        server.stop()


@pytest.fixture
def database_url(server: PostgresServer) -> str:
    return server.url


class Fault:
    """`begin()`s, and `end()`s, after which the server is there again."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def begin(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        self._server.start()


class FastRestart(Fault):
    def begin(self) -> None:
        self._server.stop()


class ImmediateRestart(Fault):
    def begin(self) -> None:
        crash(self._server)


class Frozen(Fault):
    def begin(self) -> None:
        freeze(self._server)

    def end(self) -> None:
        thaw(self._server)


@pytest.mark.parametrize("kind", [FastRestart, ImmediateRestart, Frozen])
def test_answered_within_two_seconds_and_back_within_five(
    stack: Stack, server: PostgresServer, measured: Callable[[str, float], None], kind: type[Fault]
) -> None:
    stack.environ["WORKER_RATE_LIMIT"] = "0"
    api = stack.start_api(processes=2, WEB_THREADS=str(THREADS))
    stack.start_worker()
    manager = Manager(stack.api_url, stack.log_in())
    manager.wait_for(manager.create().json()["request_id"], "provisioned", 20)
    fault = kind(server)

    with Load([stack.api_url], manager.token) as load:
        time.sleep(1)
        fault.begin()
        gone = time.monotonic()
        time.sleep(AWAY)  # how long the outage lasts
        fault.end()
        back = time.monotonic()
        created = wait_until(lambda: _created(manager), BACK_WITHIN + 5, what="an accepted request")
        for _ in range(2 * CONNECTIONS):
            assert _created(manager), "nobody meets a connection of before"
        manager.wait_for(created, "provisioned", BACK_WITHIN + 5)
        worked = time.monotonic() - back

    refused = [seen for seen in load.tries if not seen.accepted]
    assert {seen.status for seen in load.tries} <= {201, 202, 409, 503}, "no 500, and an answer to each"
    while_away = [seen for seen in load.tries if gone <= seen.at < gone + AWAY - ANSWERED_WITHIN]
    assert while_away
    assert all(seen.status == 503 for seen in while_away)
    for seen in refused:
        assert seen.headers["Content-Type"] == "application/problem+json"
        assert seen.status != 503 or int(seen.headers["Retry-After"]) >= 1
        assert "Traceback" not in str(seen.body)
    slowest = max(seen.took for seen in refused)
    measured(f"{kind.__name__}: slowest refusal (s)", slowest)
    assert slowest < ANSWERED_WITHIN + SLACK, "no waiting behind those who wait"

    accepted_again = load.first_accepted_after(back)
    assert accepted_again is not None
    measured(f"{kind.__name__}: first accepted again after (s)", accepted_again - back)
    assert accepted_again - back < BACK_WITHIN
    measured(f"{kind.__name__}: first provisioned again after (s)", worked)
    assert worked < BACK_WITHIN
    _assert_no_thread_is_stuck(api, stack, manager.token)
    wait_until_settled(server.url, 20)
    assert len(load.accepted) == len(load.customers)
    assert_all_kept(server.url, load.accepted)


def test_a_server_gone_from_the_network(stack: Stack, server: PostgresServer) -> None:
    """Its connections stay open and silent, and new ones are not answered either, as when a host is gone."""
    parts = urlsplit(server.url)
    with Cable(parts.port or 5432) as cable:
        stack.environ["DATABASE_URL"] = server.url.replace(f":{parts.port}/", f":{cable.port}/")
        api = stack.start_api(processes=2, WEB_THREADS=str(THREADS))
        stack.start_worker()
        token = stack.log_in()
        with Load([stack.api_url], token) as load:
            time.sleep(1)
            cable.pull()
            pulled = time.monotonic()
            time.sleep(AWAY)  # how long the outage lasts
            cable.plug_in()
            back = time.monotonic()
            wait_until(lambda: load.first_accepted_after(back), BACK_WITHIN, what="an accepted request")

        assert {seen.status for seen in load.tries} <= {201, 202, 409, 503}
        assert any(seen.status == 503 for seen in load.tries)
        late = [str(seen) for seen in load.tries if seen.at > pulled and seen.took > ANSWERED_WITHIN + SLACK]
        assert late == []
        _assert_no_thread_is_stuck(api, stack, token)
        wait_until_settled(server.url, 30)
        assert_all_kept(server.url, load.accepted)


def _created(manager: Manager) -> str | None:
    answer = manager.create()
    return str(answer.json()["request_id"]) if answer.status_code in (201, 202) else None


def _assert_no_thread_is_stuck(api: Child, stack: Stack, token: str) -> None:
    """As many requests at once as there are threads, each needing the database: all are answered, none waits long."""
    took: list[float] = []

    def ask() -> None:
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        answer = requests.get(f"{stack.api_url}/api/admin/tripwire/requests", headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text
        took.append(time.monotonic() - began)

    at_once = THREADS * len(api_processes(api))
    threads = [threading.Thread(target=ask) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert len(took) == at_once
    assert max(took) < 2.0
