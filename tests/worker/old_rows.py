"""Rows of long ago, many at once, and the housekeeping that removes them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tests.worker.conftest import rows
from tripwire_shared.postgres.database import Database
from tripwire_worker.housekeeping import Housekeeping

# Five batches and more.
MANY = 10_500


def clean_up(database: Database, days: int = 7) -> dict[str, int]:
    """Until a run gets through; gives what was removed."""
    housekeeping, removed = Housekeeping(database, days), dict[str, int]()
    for _ in range(20):
        run = housekeeping.run_once()
        for name, count in run.changed.items():
            removed[name] = removed.get(name, 0) + count
        if run.done:
            return {name: count for name, count in removed.items() if count and not name.endswith("folded")}
    raise AssertionError(f"never done: {removed}")


def count(database: Database, table: str, condition: str = "true") -> int:
    return int(rows(database, f"SELECT count(*) AS n FROM {table} WHERE {condition}")[0].n)


def named(database: Database, query: str, values: Mapping[str, Any]) -> list[Any]:
    """As `rows`, with values by their names."""
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def events(database: Database, many: int, age: str) -> None:
    rows(
        database,
        "INSERT INTO system_health_logs (event_type, message, created_at)"
        " SELECT 'INFO', 'x', now() - %s::interval FROM generate_series(1, %s)",
        age, many,
    )  # fmt: skip


def login_failures(database: Database, many: int, age: str) -> None:
    rows(
        database,
        "INSERT INTO login_failures (email, address, at)"
        " SELECT 'a@example.com', '192.0.2.1', now() - %s::interval FROM generate_series(1, %s)",
        age, many,
    )  # fmt: skip


def finished(database: Database, staff_id: UUID, many: int, age: str, status: str = "provisioned") -> list[UUID]:
    """Requests with the customers, steps and links that they left `age` ago; gives their ids."""
    return [
        row.id
        for row in named(
            database,
            "WITH r AS (INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status,"
            " mode, due_at, user_id, accepted_at, finished_at) SELECT gen_random_uuid(), gen_random_uuid()"
            " || '@example.com', 'Anna', 1, 'KZT', %(staff)s, %(status)s, 'async', now(),"
            " CASE %(status)s WHEN 'provisioned' THEN gen_random_uuid() END, now() - %(age)s::interval,"
            " now() - %(age)s::interval FROM generate_series(1, %(many)s) RETURNING id, user_id, email),"
            " c AS (INSERT INTO tripwire_users (id, user_id, request_id, email, full_name, granted_by)"
            " SELECT gen_random_uuid(), user_id, id, email, 'Anna', %(staff)s FROM r WHERE user_id IS NOT NULL),"
            " s AS (INSERT INTO request_steps (request_id, step, at) SELECT id, step, now() - %(age)s::interval"
            " FROM r, unnest(ARRAY['attempt_started', %(status)s]) AS step),"
            " i AS (INSERT INTO invitations (id, user_id, created_at, expires_at) SELECT gen_random_uuid(), user_id,"
            " now() - %(age)s::interval, now() FROM r WHERE user_id IS NOT NULL) SELECT id FROM r",
            {"staff": staff_id, "status": status, "age": age, "many": many},
        )
    ]


def mails(database: Database, requests: list[UUID], status: str, age: str) -> None:
    rows(
        database,
        "INSERT INTO outbox (channel, status, user_id, request_id, created_at, finished_at)"
        " SELECT 'mail', %s, user_id, id, now() - %s::interval,"
        " CASE WHEN %s <> 'pending' THEN now() - %s::interval END FROM provisioning_requests WHERE id = ANY (%s)",
        status, age, status, age, requests,
    )  # fmt: skip
