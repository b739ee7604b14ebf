"""After a restart of the server nobody meets a connection of before: not even a statement that is never sent twice."""

from collections.abc import Callable
from contextlib import ExitStack

import psycopg2

from tests.resources import Resources
from tests.waiting import wait_until

AT_ONCE = 4
OURS = "FROM pg_stat_activity WHERE application_name = 'tripwire-sweep' AND datname = current_database()"


def test_connections_that_the_server_closed_are_replaced(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for()
    with ExitStack() as open_together:
        for _ in range(AT_ONCE):
            open_together.enter_context(resources.database.connection())
    other = psycopg2.connect(resources.settings.database_url)
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) {OURS}")
        assert cursor.rowcount == AT_ONCE

        def gone() -> bool:
            cursor.execute(f"SELECT 1 {OURS}")
            return cursor.rowcount == 0

        wait_until(gone)
    other.close()

    for _ in range(AT_ONCE):
        with resources.database.connection() as connection:
            connection.cursor().execute("SELECT 1")
