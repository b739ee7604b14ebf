"""Promise 10: an idle system is cheap: few statements a second, and little processor time, over all its processes."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import psutil
import psycopg2
import pytest

from deploy.local.data_folder import free_port
from deploy.local.postgres import ROLE, PostgresServer
from tests.conftest import migrate
from tests.faults.processes import sweep_of, whole, worker_of
from tests.stack import Stack
from tests.waiting import wait_until

# What a minute's report costs falls into one in three such spans.
SECONDS = 20.0
MOST_STATEMENTS = 5.0
# Of the services and of PostgreSQL. (Redis' own housekeeping, which nobody's questions cause, is not ours.)
MOST_PROCESSOR_MS = 15.0


@pytest.fixture
def lines() -> list[str]:
    """What PostgreSQL writes into its log: every statement."""
    return []


@pytest.fixture
def chatty_postgres(tmp_path: Path, lines: list[str]) -> Iterator[PostgresServer]:
    server = PostgresServer(
        tmp_path / "postgres",
        free_port(),
        superuser_password="superuser-of-tests",
        password="application-of-tests",
        write_line=lines.append,
        durable=False,
    )
    try:
        server.start()
        server.make_database()
        migrate(server.url)
        connection = psycopg2.connect(server.superuser_url())
        with connection, connection.cursor() as cursor:
            cursor.execute(f"ALTER ROLE {ROLE} SET log_statement = 'all'")
        connection.close()
        yield server
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_few_statements_and_little_processor_time(
    tmp_path: Path, chatty_postgres: PostgresServer, redis_url: str, lines: list[str]
) -> None:
    stack = Stack(tmp_path, chatty_postgres.url, redis_url)
    try:
        stack.start_api(processes=2)
        worker = stack.start_worker()
        stack.start_admin_ui()
        wait_until(lambda: worker_of(worker) and sweep_of(worker), 20)
        wait_until(lambda: "LISTEN tripwire_due" in "".join(lines), 10, what="a listening sweep")
        sleep(5)  # nobody can be waited for to have nothing to do
        children = [*stack.children, chatty_postgres.child]
        processes = [process for child in children for process in whole(child)]
        first, used, began_at = len(lines), processor_ms(processes), monotonic()
        sleep(SECONDS)
        took, spent = monotonic() - began_at, processor_ms(processes) - used
    finally:
        stack.stop()
    asked = Counter(line.partition("statement: ")[2].strip() for line in lines[first:] if "statement: " in line)
    print(f"idle: {asked.total() / took:.1f} statements/s, {spent / took:.1f} ms of processor time a second")
    assert asked.total() / took <= MOST_STATEMENTS, asked
    assert asked.total() / took >= 1, "the sweep's watch must see PostgreSQL go"
    assert spent / took <= MOST_PROCESSOR_MS


def processor_ms(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times) * 1000
