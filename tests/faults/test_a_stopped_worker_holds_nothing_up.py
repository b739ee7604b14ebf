"""A worker stopped with a claim in its hands, or a host gone from the network: within 10 s another
has the work, though nobody closes anything and nobody is ever woken."""

import signal
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import psutil
import psycopg2
import pytest

from tests.faults.cable import Cable
from tests.faults.load import Load
from tests.faults.processes import process_connected_from, send, sweep_of, whole, worker_of
from tests.invariants import assert_all_kept, wait_until_finished, wait_until_settled
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until

IN_MID_TRANSACTION = (
    "SELECT client_port FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)
TAKEN_UP_WITHIN = 10.0


@pytest.fixture
def stopped() -> Iterator[list[psutil.Process]]:
    """What a test stopped: SIGKILL ends a stopped process too."""
    processes: list[psutil.Process] = []
    yield processes
    send(signal.SIGKILL, processes)


@pytest.mark.parametrize("door", ["worker", "sweep"])
def test_stopped_with_a_claim_and_never_woken(
    stack: Stack,
    slow_down: Callable[..., None],
    stopped: list[psutil.Process],
    measured: Callable[[str, float], None],
    door: str,
) -> None:
    url = stack.environ["DATABASE_URL"]
    slow_down("request_steps", 0.7, "held%")  # so that its claim can be met
    stack.start_api()
    manager = Manager(stack.api_url, stack.log_in())
    if door == "sweep":
        manager.switch("sync_direct")  # of what the API leaves, only the sweep knows
        stack.environ["SWEEP_AFTER_SECONDS"] = "0"
    worker = stack.start_worker()
    wait_until(lambda: worker_of(worker) and sweep_of(worker), 20)
    held = _accept(url, stack, manager, door)

    [port] = wait_until(lambda: _ports(url), 20, what="a claim under way")
    frozen = process_connected_from(port, whole(worker))
    assert frozen is not None
    send(signal.SIGSTOP, [frozen])
    stopped.append(frozen)
    stopped_at = time.monotonic()
    assert (frozen.pid == _pid(sweep_of(worker))) is (door == "sweep")

    with Load([stack.api_url], manager.token, per_second=5) as load:
        manager.wait_for(held, "provisioned", TAKEN_UP_WITHIN + 5)
        took = time.monotonic() - stopped_at
    measured(f"work of a stopped {door} process resumed after (s)", took)
    assert took < TAKEN_UP_WITHIN
    wait_until_settled(url, 20)
    assert_all_kept(url, [held, *load.accepted])


def test_a_host_gone_from_the_network(
    stack: Stack, slow_down: Callable[..., None], measured: Callable[[str, float], None]
) -> None:
    """Its processes are dead, but its connections stay open, silent, as far as the server can see."""
    url = stack.environ["DATABASE_URL"]
    slow_down("sales", 1.5, "held%")
    stack.start_api()
    manager = Manager(stack.api_url, stack.log_in())
    parts = urlsplit(url)
    with Cable(parts.port or 5432) as cable:
        doomed = stack.start_worker(DATABASE_URL=url.replace(f":{parts.port}/", f":{cable.port}/"))
        other = stack.start_worker(
            REDIS_URL="redis://127.0.0.1:1/0"
        )  # of the work to come it hears from PostgreSQL only
        wait_until(lambda: worker_of(doomed) and sweep_of(other), 20)
        held = [manager.create(f"held-{number}@example.com").json()["request_id"] for number in range(3)]
        wait_until(lambda: len(_ports(url)) == len(held), 20, what="attempts in mid-transaction")

        cable.pull()
        doomed.kill()
        gone_at = time.monotonic()
        wait_until_finished(url, TAKEN_UP_WITHIN + 5)
        took = time.monotonic() - gone_at
    measured("work of a vanished host resumed after (s)", took)
    assert took < TAKEN_UP_WITHIN
    wait_until_settled(url, 1)
    assert_all_kept(url, held)


def _accept(url: str, stack: Stack, manager: Manager, door: str) -> str:
    if door == "worker":
        return str(manager.create("held@example.com").json()["request_id"])
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, mode, answer, due_at)"
            " SELECT gen_random_uuid(), 'held@example.com', 'Anna K.', 5000, 'KZT', id, 'async', 202, now() FROM staff"
            " RETURNING id"
        )
        [(request_id,)] = cursor.fetchall()
    connection.close()
    return str(request_id)


def _ports(url: str) -> list[int]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(IN_MID_TRANSACTION)
            return [port for (port,) in cursor.fetchall()]
    finally:
        connection.close()


def _pid(process: psutil.Process | None) -> int:
    return process.pid if process else 0
