"""Retention: what is over goes, however much there is; what is young or unfinished stays."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.resources import Resources
from tests.worker.conftest import rows
from tests.worker.old_rows import MANY, clean_up, count, events, finished, login_failures, mails
from tripwire_shared.postgres.database import Database
from tripwire_shared.staff.staff_store import StaffStore
from tripwire_worker.housekeeping import Housekeeping


@pytest.fixture
def resources(build: Callable[..., Resources]) -> Resources:
    return build()


@pytest.fixture
def database(resources: Resources) -> Database:
    return resources.database


def test_health_events_past_retention_go_however_many_there_are(database: Database) -> None:
    events(database, MANY, "8 days")
    events(database, 10, "6 days 23 hours")
    assert clean_up(database) == {"health events": MANY}
    assert count(database, "system_health_logs") == 10
    assert clean_up(database, days=1) == {"health events": 10}, "a lowered retention catches up"


def test_login_failures_go_once_no_throttle_counts_them(database: Database) -> None:
    login_failures(database, MANY, "61 s")
    login_failures(database, 5, "50 s")
    assert clean_up(database) == {"login failures": MANY}
    assert count(database, "login_failures") == 5


def test_sessions_go_a_day_after_their_end_and_tokens_a_month(
    resources: Resources, database: Database, staff_id: UUID
) -> None:
    def tokens(kind: str, many: int, expires: str, revoked: str | None = None) -> None:
        rows(
            database,
            "INSERT INTO staff_tokens (id, staff_id, token_hash, kind, name, expires_at, revoked_at)"
            " SELECT gen_random_uuid(), %s, gen_random_uuid()::text::bytea, %s, 'x', now() + %s::interval,"
            " now() + %s::interval FROM generate_series(1, %s)",
            staff_id, kind, expires, revoked, many,
        )  # fmt: skip

    tokens("session", MANY, "-25 hours")
    tokens("session", 7, "2 hours", "-25 hours")
    tokens("api", 11, "-31 days")
    tokens("api", 13, "90 days", "-31 days")
    rows(database, "UPDATE staff_tokens SET last_used_at = now() - interval '30 hours' - extract(hour FROM expires_at)"
                   " * interval '1 hour'")  # fmt: skip
    staff = StaffStore(database, resources.hasher, resources.activity)
    seen = staff.get_listed(staff_id).last_seen_at
    assert seen is not None
    for kind, ended in (("session", "-23 hours"), ("api", "-29 days")):
        tokens(kind, 2, "90 days")
        tokens(kind, 2, ended)
        tokens(kind, 2, "90 days", ended)
    assert clean_up(database) == {"tokens": MANY + 7 + 11 + 13}
    assert count(database, "staff_tokens") == 12
    assert staff.get_listed(staff_id).last_seen_at == seen, "who was seen stays seen"


@pytest.mark.long
def test_sent_mails_go_with_steps_and_links_and_are_still_known_as_sent(
    resources: Resources, database: Database, staff_id: UUID
) -> None:
    old = finished(database, staff_id, MANY, "91 days")
    mails(database, old, "sent", "91 days")
    young = finished(database, staff_id, 10, "89 days")
    mails(database, young, "sent", "89 days")
    resent = finished(database, staff_id, 1, "91 days")
    mails(database, resent, "sent", "91 days")
    mails(database, resent, "pending", "1 minute")
    rows(database, "INSERT INTO request_steps (request_id, step) VALUES (%s, 'mail_failed')", resent[0])
    rows(database, "INSERT INTO invitations (id, user_id, expires_at) SELECT gen_random_uuid(), user_id, now()"
                   " FROM provisioning_requests WHERE id = %s", resent[0])  # fmt: skip

    assert clean_up(database) == {"mails": MANY + 1}

    assert count(database, "outbox") == 11
    assert count(database, "request_steps") == 2 * 10 + 1
    assert count(database, "invitations") == 10 + 1
    assert resources.requests.get(old[0]).welcome_email == "sent"
    assert resources.requests.get(young[0]).welcome_email == "sent"
    assert resources.requests.get(resent[0]).welcome_email == "pending"
    [noted] = rows(database, "SELECT DISTINCT mail_sent_at < now() - interval '90 days' AS it FROM tripwire_users"
                             " WHERE request_id = ANY (%s)", old)  # fmt: skip
    assert noted.it


def test_the_mail_that_failed_last_stays_until_another_one_was_sent(
    resources: Resources, database: Database, staff_id: UUID
) -> None:
    failed = finished(database, staff_id, 3, "200 days")
    mails(database, failed, "failed", "199 days")
    mails(database, failed[:2], "failed", "198 days")
    mails(database, failed[:1], "sent", "197 days")
    assert clean_up(database) == {"mails": 4}  # one was sent; three were followed by another
    assert [resources.requests.get(one).welcome_email for one in failed] == ["sent", "failed", "failed"]
    assert count(database, "outbox", "status = 'failed'") == 2
    _, *open_ones = failed
    assert {row.id for row in rows(database, "SELECT request_id AS id FROM request_steps")} == set(open_ones)


def test_steps_of_duplicates_go_and_those_of_failed_and_open_requests_stay(database: Database, staff_id: UUID) -> None:
    finished(database, staff_id, 5_000, "91 days", "duplicate")
    stay = [
        *finished(database, staff_id, 3, "89 days", "duplicate"),
        *finished(database, staff_id, 3, "300 days", "failed"),
    ]
    assert clean_up(database) == {"duplicates": 5_000}
    assert {row.id for row in rows(database, "SELECT DISTINCT request_id AS id FROM request_steps")} == set(stay)


def test_alerts_go_a_month_after_they_were_delivered(database: Database) -> None:
    rows(
        database,
        "INSERT INTO outbox (channel, status, created_at, finished_at) SELECT 'alert', status, now() - age, CASE WHEN"
        " status <> 'pending' THEN now() - age END FROM (VALUES ('sent', interval '31 days', %s),"
        " ('sent', '29 days', 4), ('pending', '300 days', 2)) AS v (status, age, many), generate_series(1, many)",
        MANY,
    )
    assert clean_up(database) == {"alerts": MANY}
    assert count(database, "outbox") == 6


def test_the_activity_log_keeps_addresses_for_a_year_and_entries_for_five(database: Database) -> None:
    rows(
        database,
        "INSERT INTO sales_activity_log (action, address, created_at) SELECT 'x', '192.0.2.1', now() - age FROM (VALUES"
        " (interval '1826 days', %s), ('1824 days', %s), ('366 days', 5), ('364 days', 3)) AS v (age, many),"
        " generate_series(1, many)",
        MANY, MANY,
    )  # fmt: skip
    removed = clean_up(database)
    assert removed["activity"] == MANY
    assert removed["addresses"] >= MANY + 5
    assert count(database, "sales_activity_log") == MANY + 8
    assert count(database, "sales_activity_log", "address IS NOT NULL") == 3


def test_addresses_that_become_old_later_go_later(database: Database) -> None:
    housekeeping = Housekeeping(database, 7)
    rows(database, "INSERT INTO sales_activity_log (action, address, created_at) SELECT 'x', '192.0.2.1',"
                   " now() - n * interval '100 days' FROM generate_series(5, 1, -1) n")  # fmt: skip
    assert housekeeping.run_once().changed["addresses"] == 2
    rows(database, "UPDATE sales_activity_log SET created_at = created_at - interval '100 days'")
    assert housekeeping.run_once().changed["addresses"] == 1
    assert count(database, "sales_activity_log", "address IS NOT NULL") == 2


def test_incidents_switches_and_measured_minutes_end_too(database: Database) -> None:
    rows(database, "INSERT INTO incidents (cause, opened_at, resolved_at) VALUES"
                   " ('a', now() - interval '400 days', now() - interval '366 days'),"
                   " ('a', now() - interval '400 days', now() - interval '364 days'),"
                   " ('a', now() - interval '400 days', NULL)")  # fmt: skip
    rows(database, "INSERT INTO system_config_history (key, version, value, previous_value, changed_at) VALUES"
                   " ('traffic_mode', 1, 'a', 'b', now() - interval '366 days'),"
                   " ('traffic_mode', 2, 'a', 'b', now() - interval '364 days')")  # fmt: skip
    rows(database, "INSERT INTO measured_minutes SELECT generate_series("
                   " now() - interval '30 days', now(), interval '1 minute')")  # fmt: skip
    removed = clean_up(database)
    assert (removed["incidents"], removed["switches"]) == (1, 1)
    assert removed["measured minutes"] == pytest.approx(22 * 1440, abs=1)
    assert count(database, "measured_minutes") == pytest.approx(8 * 1440, abs=2)


def test_receipts_of_the_dead_go(database: Database) -> None:
    rows(database, "INSERT INTO mode_receipts (backend_pid, backend_start, service, host, pid, version)"
                   " SELECT n, now(), 'api', 'h', n, 1 FROM generate_series(1, %s) n", MANY)  # fmt: skip
    rows(
        database,
        "INSERT INTO mode_receipts (backend_pid, backend_start, service, host, pid, version)"
        " SELECT pid, backend_start, 'api', 'h', 1, 1 FROM pg_stat_activity WHERE pid = pg_backend_pid()",
    )
    assert clean_up(database) == {"receipts": MANY}
    assert count(database, "mode_receipts") == 1
