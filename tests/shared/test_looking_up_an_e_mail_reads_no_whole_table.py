"""However many customers there are, asking whether somebody has an e-mail address goes by an index."""

import contextlib
from uuid import uuid4

import psycopg2
import pytest

from tripwire_shared.customers import erasure
from tripwire_shared.provisioning import customer_store
from tripwire_shared.requests import request_list, request_store
from tripwire_shared.sql import load_queries

MANY = 10_000
VALUES = {
    "id": uuid4(), "email": "anna@example.com", "full_name": "Anna K.", "sealed_password": None, "price": 5000,
    "currency": "KZT", "staff_id": uuid4(), "mode": "async", "answer": 202, "key": "a key", "fingerprint": None,
    "head_start": 5.0, "request_id": uuid4(), "window": 300.0, "abandoned_after": 30.0, "user_id": uuid4(),
    **dict.fromkeys(("only_staff", "status", "ids", "manager_id", "since", "until", "pattern", "at")),
    "retriable": False, "newer": False, "limit": 51,
}  # fmt: skip
FILL = """
INSERT INTO staff (id, email, full_name, role) VALUES (gen_random_uuid(), 'dana@example.com', 'Dana', 'sales');
INSERT INTO auth.users (id, email) SELECT gen_random_uuid(), n || '@example.com' FROM generate_series(1, %(many)s) n;
INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, mode, due_at, idempotency_key)
SELECT gen_random_uuid(), n || '@example.com', 'Anna', 1, 'KZT', (SELECT id FROM staff), 'async', now(), n
FROM generate_series(1, %(many)s) n;
INSERT INTO tripwire_users (id, user_id, request_id, email, full_name, granted_by)
SELECT gen_random_uuid(), gen_random_uuid(), id, email, full_name, staff_id FROM provisioning_requests;
INSERT INTO sales (id, request_id, user_id, manager_id, amount, currency)
SELECT gen_random_uuid(), request_id, user_id, granted_by, 1, 'KZT' FROM tripwire_users;
ANALYZE auth.users, provisioning_requests, tripwire_users, sales"""


STATEMENTS = (
    (request_store, "accept"),
    (request_store, "find_rival"),
    (request_store, "find_auth_user"),
    (customer_store, "find_existing"),
    (request_list, "list_requests"),
    (request_list, "count_requests"),
    (erasure, "lock_requests"),
    (erasure, "erase_requests"),
)


def test_no_plan_has_a_scan(database_url: str, subtests: pytest.Subtests) -> None:
    # The limit of waits, which another test has installed in this process, is for requests and not for filling tables.
    psycopg2.extensions.set_wait_callback(None)
    psycopg2.extras.register_uuid()
    with contextlib.closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(FILL, {"many": MANY})
        for store, statement in STATEMENTS:
            with subtests.test(statement):
                cursor.execute(f"EXPLAIN {getattr(load_queries(store.__file__), statement).sql}", VALUES)
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert "Index" in plan, plan
                assert "Seq Scan" not in plan, plan
