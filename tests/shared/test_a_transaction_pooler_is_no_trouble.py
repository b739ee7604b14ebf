"""Behind a real PgBouncer that lends two sessions, for a transaction each: our limits hold for us and for nobody else,
everything works, and where LISTEN could not, nothing starts."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.errors
import pytest

from deploy.local.services import MIGRATE
from tests.invariants import assert_all_kept, assert_mails_arrived, count, wait_until_settled
from tests.pgbouncer import PgBouncer, running_pgbouncer
from tests.resources import Resources
from tests.sales_manager import Manager
from tests.shared.rows import rows
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.listen_url import check_listen_url
from tripwire_shared.postgres.session import SessionShared, connect, connect_to_listen
from tripwire_shared.postgres.wakeups import Told, WakeUp
from tripwire_shared.settings import Settings, SettingsError
from tripwire_shared.timings import IDLE_IN_TRANSACTION_MS, LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS

SESSION = """
    SELECT name, setting FROM pg_settings
    WHERE name ~ 'timeout|keepalives|check_interval|TimeZone|synchronous_commit|DateStyle|search_path' ORDER BY name"""
MISSING = "Bad settings: DATABASE_LISTEN_URL is missing: DATABASE_URL leads to a transaction pooler"
SECONDS = 1000


@pytest.fixture
def pgbouncer(tmp_path: Path, database_url: str) -> Iterator[PgBouncer]:
    with running_pgbouncer(tmp_path / "pgbouncer", database_url) as bouncer:
        yield bouncer


@pytest.fixture
def pooled_url(pgbouncer: PgBouncer, database_url: str) -> str:
    return pgbouncer.url_of(database_url)


@pytest.fixture
def database(pooled_url: str) -> Iterator[Database]:
    """More connections than the pooler has sessions, and patient: what ends a statement is the server."""
    database = Database(pooled_url, application_name="tripwire-test", pool_size=8, statement_limit=30)
    yield database
    database.close()


def session_of(url: str) -> list[Any]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(SESSION)
        return cursor.fetchall()


def seconds_until_refused(work: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        work()
    return time.monotonic() - began


def test_neighbours_keep_what_they_have(database: Database, database_url: str, pooled_url: str) -> None:
    untouched = session_of(database_url)
    for _ in range(4):
        rows(database, "SELECT 1")
        with database.transaction() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    with pytest.raises(psycopg2.errors.DivisionByZero):
        rows(database, "SELECT 1 / 0")

    with closing(psycopg2.connect(pooled_url)) as one, one.cursor() as cursor:
        cursor.execute(SESSION)  # its transaction holds this session: the second neighbour gets the other
        assert cursor.fetchall() == untouched
        assert session_of(pooled_url) == untouched


def test_each_statement_of_ours_has_its_limits(database: Database) -> None:
    query = """SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
               current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('TimeZone') AS zone,
               current_setting('client_connection_check_interval') AS looks"""
    expected = [("5s", "1s", "3s", "UTC", "500ms")]
    assert rows(database, query) == expected
    assert rows(database, query + " WHERE 'ü%%' <> %s", "%") == expected, "also with values"
    with database.transaction() as connection, connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(query.encode())
            assert cursor.fetchall() == expected


def test_a_statement_that_is_too_slow_ends(database: Database) -> None:
    took = seconds_until_refused(lambda: rows(database, "SELECT pg_sleep(20)"))
    assert STATEMENT_TIMEOUT_MS / SECONDS <= took < STATEMENT_TIMEOUT_MS / SECONDS + 2


def test_a_wait_for_a_lock_ends(database: Database, database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE staff")
        took = seconds_until_refused(lambda: rows(database, "SELECT * FROM staff"))
    assert LOCK_TIMEOUT_MS / SECONDS <= took < LOCK_TIMEOUT_MS / SECONDS + 1


def test_a_transaction_left_open_ends_and_lets_go(pooled_url: str, database_url: str) -> None:
    """As a host leaves it that has vanished: its connection to the pooler stays open."""
    with closing(connect(pooled_url, "tripwire-test")) as vanished, vanished.cursor() as cursor:
        vanished.autocommit = False
        cursor.execute("LOCK TABLE staff")
        began = time.monotonic()
        count(database_url, "SELECT count(*) FROM staff")
        assert IDLE_IN_TRANSACTION_MS / SECONDS - 0.5 < time.monotonic() - began < IDLE_IN_TRANSACTION_MS / SECONDS + 1


def test_a_statement_whose_client_is_gone_ends(pooled_url: str, database_url: str) -> None:
    """The pooler closes the session, and the server looks whether it is there."""
    text = f"""
from tripwire_shared.postgres.session import connect
connect({pooled_url!r}, "tripwire-gone").cursor().execute("SELECT pg_sleep(4.5)")"""
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(4.5)%' AND pid <> pg_backend_pid()"
    process = subprocess.Popen([sys.executable, "-c", text])
    wait_until(lambda: count(database_url, asleep) == 1, 10)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: count(database_url, asleep) == 0, 2.5)


def test_only_a_transaction_pooler_is_refused(
    pgbouncer: PgBouncer, pooled_url: str, database_url: str, tmp_path: Path
) -> None:
    with pytest.raises(SessionShared):
        connect_to_listen(pooled_url, "tripwire-test")
    assert session_of(pooled_url) == session_of(database_url)
    connect_to_listen(database_url, "tripwire-test").close()
    with running_pgbouncer(tmp_path / "another", database_url, pool_mode="session") as bouncer:
        connect_to_listen(bouncer.url_of(database_url), "tripwire-test").close()


def test_it_is_refused_while_others_are_busy_on_it(pooled_url: str) -> None:
    done = threading.Event()

    def keep_busy() -> None:
        with closing(connect(pooled_url, "tripwire-busy")) as connection, connection.cursor() as cursor:
            while not done.is_set():
                cursor.execute("SELECT pg_sleep(0.001)")

    with ThreadPoolExecutor(4) as others:
        busy = [others.submit(keep_busy) for _ in range(4)]
        try:
            for _ in range(20):
                with pytest.raises(SessionShared):
                    connect_to_listen(pooled_url, "tripwire-test")
        finally:
            done.set()
        for one in busy:
            one.result()


def test_what_is_wrong_with_the_address_is_said(
    settings_for: Callable[..., Settings], pooled_url: str, database_url: str, empty_database_url: str
) -> None:
    check_listen_url(settings_for())
    check_listen_url(settings_for(database_url=pooled_url, database_listen_url=database_url))
    with pytest.raises(SettingsError, match=MISSING):
        check_listen_url(settings_for(database_url=pooled_url))
    with pytest.raises(SettingsError, match=r"^Bad settings: DATABASE_LISTEN_URL leads to a transaction pooler"):
        check_listen_url(settings_for(database_listen_url=pooled_url))
    with pytest.raises(SettingsError, match="another server, database or role than DATABASE_URL"):
        check_listen_url(settings_for(database_url=pooled_url, database_listen_url=empty_database_url))


def test_a_database_that_is_away_is_no_bad_setting(
    settings_for: Callable[..., Settings], pgbouncer: PgBouncer, pooled_url: str
) -> None:
    pgbouncer.stop()
    check_listen_url(settings_for(database_url=pooled_url))


@pytest.mark.parametrize("program", ["tripwire_worker", "api", "migrate"])
def test_nothing_starts_without_a_direct_address(program: str, tmp_path: Path, pooled_url: str, redis_url: str) -> None:
    stack = Stack(tmp_path, pooled_url, redis_url)
    api = [
        "-m",
        "gunicorn",
        "--config",
        "python:tripwire_api.serving.gunicorn_conf",
        "tripwire_api.serving.wsgi:create()",
    ]
    arguments = {"migrate": MIGRATE[1:], "api": api}.get(program, ["-m", program])
    environ = {**os.environ, **stack.environ, "API_PORT": "1025", "WEB_CONCURRENCY": "1"}
    answer = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=40, check=False
    )
    assert answer.returncode != 0
    assert [line for line in answer.stderr.splitlines() if "DATABASE_LISTEN_URL" in line] == [
        line for line in answer.stderr.splitlines() if line.startswith(MISSING)
    ]
    assert answer.stderr.count(MISSING) == 1
    assert "Traceback" not in answer.stderr


def test_a_listener_that_finds_a_pooler_later_says_so_once_and_listens_nowhere(
    resources_for: Callable[..., Resources], database: Database, pooled_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """PostgreSQL was away when the process started, so nobody knew. Whoever waits is told to look, again and again."""
    wakeups, told = resources_for("api", database_url=pooled_url).wakeups, list[Told]()
    wakeups.listen(WakeUp.MODE, told.append)
    wakeups.start()
    wait_until(lambda: len(told) >= 3, 10)
    assert capsys.readouterr().out.count("DATABASE_LISTEN_URL") == 1
    with database.transaction() as one, database.transaction() as other:
        for connection in (one, other):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_listening_channels()")
                assert cursor.fetchall() == []


def test_migrations_go_to_the_server_itself(pgbouncer: PgBouncer, empty_database_url: str) -> None:
    pooled = pgbouncer.url_of(empty_database_url)
    pgbouncer.stop()
    environ = {**os.environ, "DATABASE_URL": pooled, "DATABASE_LISTEN_URL": empty_database_url}
    subprocess.run(MIGRATE, env=environ, check=True, capture_output=True, timeout=50)
    assert count(empty_database_url, "SELECT count(*) FROM system_config") > 0


@pytest.mark.slow
def test_customers_the_switch_and_mails_pass_through_it(
    tmp_path: Path, pooled_url: str, database_url: str, redis_url: str
) -> None:
    """Two API processes, a worker service and sixteen managers, with some fifty connections on two sessions."""
    stack = Stack(tmp_path, pooled_url, redis_url, {"DATABASE_LISTEN_URL": database_url, "WORKER_RATE_LIMIT": "0"})
    try:
        stack.start_api(processes=2)
        stack.start_worker()
        manager = Manager(stack.api_url, stack.log_in())
        manager.wait_for_workers()
        accepted: list[str] = []

        def receipts(version: int) -> bool:
            processes = manager.call("GET", "/api/admin/system/mode").json()["processes"]
            return [process["version"] for process in processes] == [version] * 2

        for version, mode, status in ((1, None, 202), (2, "sync_direct", 201), (3, "async_queue", 202)):
            if mode:
                manager.switch(mode)
            wait_until(lambda wanted=version: receipts(wanted), 2 if mode else 10)
            with ThreadPoolExecutor(16) as managers:
                each = [Manager(stack.api_url, manager.token) for _ in range(16)]
                answers = list(managers.map(lambda number: each[number % 16].create(), range(48)))  # noqa: B023
            assert {answer.status_code for answer in answers} == {status}
            accepted += [answer.json()["request_id"] for answer in answers]

        wait_until_settled(database_url, 20)
        assert_all_kept(database_url, accepted)
        assert_mails_arrived(database_url, stack.mail_folder)
        assert session_of(pooled_url) == session_of(database_url)
    finally:
        stack.stop()
