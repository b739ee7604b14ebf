"""What was kept with readable domains is converted once; an address is looked for in both of its forms."""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import idna
import psycopg2
import pytest
from psycopg2.extras import NamedTupleCursor

from deploy.local.services import ROOT
from tripwire_shared.migrate import apply_migrations

MIGRATIONS = ROOT / "db" / "migrations"
BEFORE = "0014"
DOMAINS = [
    "bücher.example", "straße.example", "βασ.example", "испытание.example", "қазақстан-1.example", "例え.テスト",
    "उदाहरण.परीक्षा", "테스트.example", "mail.пример.example", "ñandú.example", "ü.ö.ä.example", "موقع.example",
]  # fmt: skip
SEED = """
INSERT INTO staff (id, email, full_name, role) VALUES (gen_random_uuid(), %(email)s, 'Dana', 'sales');
INSERT INTO auth.users (id, email, raw_app_meta_data)
VALUES (%(user_id)s, %(email)s, jsonb_build_object('tripwire_request_id', %(request_id)s));
INSERT INTO provisioning_requests (
    id, email, full_name, price, currency, staff_id, mode, due_at, status, user_id, finished_at)
SELECT id, %(email)s, 'Anna', 1, 'KZT', gen_random_uuid(), 'async', now(), status, user_id, now()
FROM (VALUES (%(request_id)s::uuid, 'provisioned', %(user_id)s::uuid), (gen_random_uuid(), 'failed', NULL))
     AS ended (id, status, user_id);
INSERT INTO tripwire_users (id, user_id, request_id, email, full_name, granted_by)
VALUES (gen_random_uuid(), %(user_id)s, %(request_id)s, %(email)s, 'Anna', gen_random_uuid());
"""


@pytest.fixture
def database(empty_database_url: str, tmp_path: Path) -> Any:
    """As an earlier version left it, with somebody at each of DOMAINS."""
    shutil.copytree(MIGRATIONS, tmp_path / "before", ignore=lambda _, names: [name for name in names if name >= BEFORE])
    apply_migrations(empty_database_url, tmp_path / "before")
    for domain in (*DOMAINS, "example.com"):
        run(empty_database_url, SEED, email=f"o.k@{domain}", user_id=str(uuid4()), request_id=str(uuid4()))
    return empty_database_url


def run(url: str, statement: str, **values: object) -> list[Any]:
    with (
        closing(psycopg2.connect(url, cursor_factory=NamedTupleCursor)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def emails(url: str, table: str) -> list[str]:
    return sorted(row.email for row in run(url, f"SELECT email FROM {table}"))


def ascii_form(domain: str) -> str:
    return idna.encode(domain).decode()


def test_what_is_kept_is_converted(database: str) -> None:
    apply_migrations(database, MIGRATIONS)
    kept = sorted(["o.k@example.com", *(f"o.k@{ascii_form(domain)}" for domain in DOMAINS)])
    for table in ("staff", "auth.users", "tripwire_users"):
        assert emails(database, table) == kept
    assert emails(database, "provisioning_requests") == sorted(kept * 2)
    assert run(database, "SELECT 1 FROM system_health_logs") == []
    readable = run(database, "SELECT readable_email(email) AS it FROM staff")
    assert {row.it for row in readable} == {f"o.k@{domain}" for domain in (*DOMAINS, "example.com")}


def test_auth_users_of_others_stay_and_two_of_one_mailbox_are_told_of(database: str) -> None:
    others, second = uuid4(), uuid4()
    run(database, "INSERT INTO auth.users (id, email) VALUES (%(id)s, 'x@bücher.example')", id=str(others))
    run(database, "INSERT INTO auth.users (id, email) VALUES (%(id)s, 'o.k@xn--bcher-kva.example')", id=str(second))
    apply_migrations(database, MIGRATIONS)
    assert {"x@bücher.example", "o.k@bücher.example", "o.k@xn--bcher-kva.example"} < set(emails(database, "auth.users"))
    assert "o.k@xn--bcher-kva.example" in emails(database, "tripwire_users")
    [told] = run(database, "SELECT event_type, metadata FROM system_health_logs")
    assert told.event_type == "WARNING"
    assert told.metadata["other_user_id"] == str(second)
    assert "@" not in str(told.metadata)


def test_what_is_no_punycode_is_left_as_it_is(database_url: str) -> None:
    for email in (
        "a@xn--zzzzzzzzzzzzzzzzzzzzzzzzzzz.com",
        "a@xn--99999999.com",
        "a@xn--ü.example",
        "a@xn--a-é!.de",
        "x",
    ):
        [row] = run(database_url, "SELECT readable_email(%(email)s) AS it", email=email)
        assert row.it == email
