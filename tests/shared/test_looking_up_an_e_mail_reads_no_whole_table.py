"""However many customers there are, accepting one, claiming and making them goes by indexes."""

import contextlib
from uuid import uuid4

import psycopg2
import pytest

from tripwire_shared.customers import erasure
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.provisioning import customer_store
from tripwire_shared.requests import claims, request_list, request_store

MANY = 10_000
VALUES = {
    "emails": [f"{number}@example.com" for number in range(32)], "news": "[]", "lock_timeout": "200",
    "id": uuid4(), "email": "anna@example.com", "full_name": "Anna K.", "sealed_password": None, "price": 5000,
    "currency": "KZT", "staff_id": uuid4(), "mode": "async", "answer": 202, "key": "a key", "fingerprint": None,
    "head_start": 5.0, "abandoned_after": 30.0, "ids": [uuid4() for _ in range(50)], "owner": "a host:1:abc",
    "lease": 5.0, "fallback": False, "door": "", "max_attempts": 3, "batch": 50, "with_tried": True, "most": 50,
    "hashed_ids": [], "hashes": [], "error": "", "pause": 2.0, "answer_now": False, "at_most": 3600.0, "look": 200,
    "makes_auth_users": True, "action": "", "address": None, "invitation_ttl": 1.0, "passed": "{}", "auth_user": "",
    "cause": "", "customer": "", "refused_message": "", "user_id": uuid4(), "retriable": False, "newer": False,
    "limit": 51,
    **dict.fromkeys(("only_staff", "status", "manager_id", "since", "until", "pattern", "unfolded", "at")),
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
# The set's statement and those of claims as well: a customer costs the same, however many there are.
TABLES = ("users", "provisioning_requests", "tripwire_users", "sales", "outbox")


STATEMENTS = (
    (request_store, "accept"),
    (request_store, "find_rival"),
    (request_store, "find_auth_user"),
    (customer_store, "provision"),
    *((claims, name) for name in ("claim", "claim_due", "claimable", "renew", "fail", "put_off", "waiting")),
    (claims, "give_up"),
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
                assert not [table for table in TABLES if f"Seq Scan on {table}" in plan], plan
