"""What an accepted request costs: one transaction in PostgreSQL, one pipeline in Redis, no question for the mode."""

import time
from typing import Any

import psycopg2
import pytest
from redis import Redis

from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_shared.timings import TOKEN_CACHE_TTL

POSTS, PROCESSES = 200, 2
# What runs beside it each second in each process: two deliverers look twice, with two statements each; the watch looks;
# the token is asked for; and this test asks.
BESIDE = 2 * 2 * 2 + 1 + 1 / TOKEN_CACHE_TTL + 1


def asked(url: str, query: str) -> int:
    """A figure of PostgreSQL's own statistics."""
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row: Any = cursor.fetchone()
        return int(row[0])


def hand_in(url: str) -> None:
    """Ends the connections of the services' pools: a server process hands its figures in when it ends, else up to ten
    seconds later. The pools open new ones. The listeners keep theirs: who lost it would read the mode again."""
    asked(
        url,
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND application_name LIKE 'tripwire-%' AND application_name NOT LIKE '%-listener'",
    )


@pytest.mark.slow
def test_one_transaction_one_pipeline_no_mode_query(stack: Stack) -> None:
    stack.start_api(processes=PROCESSES, API_RATE_LIMIT="0")
    manager, url = Manager(stack.api_url, stack.log_in()), stack.environ["DATABASE_URL"]
    mode = "SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = 'system_config'"
    inserts = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'provisioning_requests'"
    transactions = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    processes = "/api/admin/system/mode"
    wait_until(lambda: len(manager.call("GET", processes).json()["processes"]) == PROCESSES, 5)
    hand_in(url)
    with Redis.from_url(stack.environ["REDIS_URL"]) as redis:
        modes_before = asked(url, mode)
        reads_before = redis.info("stats")["total_reads_processed"]
        before, began = asked(url, transactions), time.monotonic()
        for _ in range(POSTS):
            assert manager.create().status_code == 202
        reads = redis.info("stats")["total_reads_processed"] - reads_before
        hand_in(url)
        took, after = time.monotonic() - began, asked(url, transactions)

    assert asked(url, inserts) == POSTS
    assert asked(url, mode) - modes_before <= PROCESSES
    assert (after - before) <= POSTS * 1.1 + PROCESSES * BESIDE * (took + 2)
    assert reads <= POSTS * 1.1 + 20
