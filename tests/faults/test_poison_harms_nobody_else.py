"""A request that always fails, one that kills whatever process works on it, and one that takes for ever: each uses
exactly its attempts, the others never notice, and it ends visible, alerted, and can be retried."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any

import psycopg2
import pytest

from deploy.local.child import Child
from tests.faults.load import Load
from tests.faults.processes import process_connected_from, send, sweep_of, whole, worker_of
from tests.invariants import assert_all_kept, count, wait_until_settled
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until
from tripwire_shared.timings import JOB_TIMEOUT

SHORT_BACKOFF = 0.5
OTHERS_WITHIN = 5.0
# Ten seconds in all, none of them too long for a statement.
SLOW_TABLES = ("tripwire_users", "sales", "sales_activity_log", "outbox")
SLOWEST = (
    "SELECT coalesce(max(1000 * extract(epoch FROM finished_at - accepted_at)), 0)::integer"
    " FROM provisioning_requests WHERE status = 'provisioned' AND email NOT LIKE 'slow%'"
)


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    server = TelegramServer()
    yield server
    server.stop()


@pytest.fixture
def worker(stack: Stack, telegram: TelegramServer) -> Child:
    stack.environ.update(telegram.variables, JOB_BACKOFF_SECONDS=str(SHORT_BACKOFF))
    stack.start_api()
    worker = stack.start_worker()
    wait_until(lambda: worker_of(worker) and sweep_of(worker), 20)
    return worker


def test_one_that_always_fails_and_one_that_takes_for_ever(
    stack: Stack, worker: Child, telegram: TelegramServer, slow_down: Callable[..., None]
) -> None:
    url = stack.environ["DATABASE_URL"]
    _make_fail(url, "bad%")
    for table in SLOW_TABLES:
        slow_down(table, 2.5, "slow%")
    manager = Manager(stack.api_url, stack.log_in())
    with Load([stack.api_url], manager.token, per_second=5) as load:
        bad = manager.create("bad@example.com").json()["request_id"]
        slow = manager.create("slow@example.com").json()["request_id"]
        bad_end = manager.wait_for(bad, "failed", 30)
        ended = wait_until(lambda: _error(manager, slow), JOB_TIMEOUT + 2, what="the end of the slow attempt")

    assert bad_end["attempts"] == len(_starts(bad_end)) == 3
    assert bad_end["error"] == "The database refused (RaiseException)."
    # Which of the two depends on which limit comes first.
    assert ended in ("The database did not answer in time.", "The database cannot be reached or does not answer.")
    first, second = (after - before for before, after in pairwise(_starts(bad_end)))
    assert first >= SHORT_BACKOFF
    assert second >= 2 * SHORT_BACKOFF
    for table in SLOW_TABLES:
        _execute(url, f"DROP TRIGGER slow ON {table}")
    wait_until_settled(url, 20)
    assert_all_kept(url, [bad, slow, *load.accepted], failed=1)
    slowest = count(url, SLOWEST) / 1000
    assert slowest < OTHERS_WITHIN, f"another request took {slowest} s"
    wait_until(lambda: telegram.texts(bad), 5, what="the alert of the first to fail")

    _execute(url, "DROP TRIGGER fails ON tripwire_users")
    assert manager.call("POST", f"/api/admin/tripwire/requests/{bad}/retry").status_code == 202
    manager.wait_for(bad, "provisioned", 10)


def test_one_that_kills_each_process_that_works_on_it(
    stack: Stack, worker: Child, slow_down: Callable[..., None]
) -> None:
    url = stack.environ["DATABASE_URL"]
    slow_down("sales", 1.0, "deadly%")
    manager = Manager(stack.api_url, stack.log_in())
    with _killing(url, worker) as killed, Load([stack.api_url], manager.token, per_second=5) as load:
        deadly = manager.create("deadly@example.com").json()["request_id"]
        end = manager.wait_for(deadly, "failed", 60)

    assert len(killed) == 3, "each attempt met its death"
    assert end["attempts"] == len(_starts(end)) == 3
    assert "without a word" in end["error"]
    wait_until_settled(url, 20)
    assert_all_kept(url, [deadly, *load.accepted], failed=1)
    wait_until(lambda: worker_of(worker) and sweep_of(worker), 20, what="pool and sweep whole again")


def _error(manager: Manager, request_id: str) -> str | None:
    error: str | None = manager.request(request_id)["error"]
    return error


def _starts(found: dict[str, Any]) -> list[float]:
    return [
        datetime.fromisoformat(step["at"]).timestamp() for step in found["steps"] if step["step"] == "attempt_started"
    ]


def _make_fail(url: str, emails: str) -> None:
    _execute(
        url,
        f"""
        CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.email LIKE '{emails}' THEN RAISE EXCEPTION 'poison'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER fails BEFORE INSERT ON tripwire_users FOR EACH ROW EXECUTE FUNCTION fails();
        """,
    )


@contextmanager
def _killing(url: str, worker: Child) -> Iterator[list[int]]:
    """Kills, with -9, whatever process of the service is in the slow transaction, again and again."""
    killed: list[int] = []
    ended = threading.Event()

    def look() -> None:
        connection = psycopg2.connect(url)
        connection.autocommit = True
        cursor = connection.cursor()
        while not ended.wait(0.05):
            cursor.execute(
                "SELECT client_port FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
            )
            for (port,) in cursor.fetchall():
                process = process_connected_from(port, whole(worker))
                if process is not None and process.pid not in killed:
                    send(signal.SIGKILL, [process])
                    killed.append(process.pid)
        connection.close()

    killer = threading.Thread(target=look)
    killer.start()
    try:
        yield killed
    finally:
        ended.set()
        killer.join(5)


def _execute(url: str, statements: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statements)
    connection.close()
