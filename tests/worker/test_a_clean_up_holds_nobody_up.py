"""The clean-up holds nobody up: bounded batches, bounded runs, one host at a time; and it says truly what failed."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from tests.resources import Resources
from tests.worker.conftest import rows
from tests.worker.old_rows import MANY, clean_up, count, events, finished, login_failures, mails, named
from tripwire_shared.postgres.database import Database
from tripwire_shared.timings import STATEMENT_TIMEOUT_MS
from tripwire_worker.housekeeping import Housekeeping
from tripwire_worker.retention import BATCH


@pytest.fixture
def database(build: Callable[..., Resources]) -> Database:
    return build().database


def test_the_function_ends_within_the_statement_limit_and_says_how_far_it_came(database: Database) -> None:
    """On a server where removing a row takes a millisecond."""
    events(database, 4 * BATCH, "8 days")
    rows(database, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
                   " $$BEGIN PERFORM pg_sleep(0.0008); RETURN old; END$$")  # fmt: skip
    rows(database, "CREATE TRIGGER slow BEFORE DELETE ON system_health_logs FOR EACH ROW EXECUTE FUNCTION slow()")
    began = time.monotonic()
    removed = int(rows(database, "SELECT cleanup_old_health_logs() AS n")[0].n)
    assert time.monotonic() - began < STATEMENT_TIMEOUT_MS / 1000
    assert removed in (BATCH, 2 * BATCH)
    assert count(database, "system_health_logs") == 4 * BATCH - removed


def test_runs_are_bounded_and_a_long_backlog_holds_up_no_other(database: Database) -> None:
    rows(database, "INSERT INTO sales_activity_log (action, created_at) SELECT 'x', now() - interval '6 years'"
                   " FROM generate_series(1, %s)", MANY)  # fmt: skip
    login_failures(database, MANY, "2 minutes")
    housekeeping, runs, done = Housekeeping(database, 7, run_limit=0.02), 0, False
    while not done:
        began = time.monotonic()
        run = housekeeping.run_once()
        assert time.monotonic() - began < 3
        if not runs:
            assert run.changed["activity"] - run.changed["login failures"] in (0, BATCH), "in turn"
        runs, done = runs + 1, run.done
    assert runs > 2
    assert count(database, "sales_activity_log") + count(database, "login_failures") == 0


def test_a_stopped_one_ends_at_once(database: Database) -> None:
    login_failures(database, 5 * BATCH, "2 minutes")
    housekeeping = Housekeeping(database, 7)
    housekeeping.stop()
    assert dict(housekeeping.run_once().changed) == {}


@pytest.mark.parametrize(
    ("sqlstate", "reason"),
    [
        ("57014", "a statement took longer than its limit"),
        ("55P03", "others held the rows for too long"),
        ("22012", None),
    ],
)
def test_one_that_fails_is_said_truly_and_stops_no_other(database: Database, sqlstate: str, reason: str | None) -> None:
    events(database, 3, "8 days")
    rows(database, "INSERT INTO incidents (cause, resolved_at) VALUES ('a', now() - interval '400 days')")
    login_failures(database, 3, "2 minutes")
    rows(database, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                   f" $$BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}'; END$$")  # fmt: skip
    rows(database, "CREATE TRIGGER refuse BEFORE DELETE ON incidents FOR EACH ROW EXECUTE FUNCTION refuse()")
    with capture_logs() as logs:
        run = Housekeeping(database, 7).run_once()
    assert not run.done
    assert dict(+run.changed) == {"health events": 3, "login failures": 3}
    [said] = logs
    assert said["what"] == "incidents"
    if reason:
        assert (said["event"], said["reason"], said["sqlstate"]) == ("a clean-up did not get through", reason, sqlstate)
    else:
        assert said["event"] == "a clean-up failed unexpectedly"


def test_two_hosts_clean_up_one_at_a_time(build: Callable[..., Resources], database: Database) -> None:
    events(database, 3, "8 days")
    with build().database.transaction() as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('tripwire housekeeping'))")
        run = Housekeeping(database, 7).run_once()
    assert dict(+run.changed) == {}
    assert clean_up(database) == {"health events": 3}


STATEMENTS: dict[str, dict[str, Any]] = {
    "alerts": {"kept": 1.0},
    "mails": {"kept": 1.0, "after": 0},
    "activity": {"kept": 1.0},
    "activity_addresses": {"kept": 1.0, "after": 0},
    "steps_of_duplicates": {"kept": 1.0},
    "login_failures": {"kept": 1.0},
    "measured_minutes": {"kept": 1.0},
}


def test_no_batch_reads_a_whole_table(database: Database, staff_id: UUID, subtests: pytest.Subtests) -> None:
    mails(database, finished(database, staff_id, MANY, "2 days"), "sent", "2 days")
    rows(database, "INSERT INTO outbox (channel, status, finished_at) SELECT 'alert', 'sent', now() - interval '1 day'"
                   " FROM generate_series(1, %s)", MANY)  # fmt: skip
    rows(database, "INSERT INTO sales_activity_log (action) SELECT 'x' FROM generate_series(1, %s)", MANY)
    rows(database, "INSERT INTO measured_minutes SELECT now() - n * interval '1 minute' FROM generate_series(1, %s) n",
         MANY)  # fmt: skip
    login_failures(database, MANY, "1 hour")
    rows(database, "ANALYZE")
    for name, values in STATEMENTS.items():
        with subtests.test(name):
            statement = getattr(Housekeeping(database, 7)._sql, name).sql
            plan = "\n".join(row[0] for row in named(database, f"EXPLAIN {statement}", {"batch": BATCH, **values}))
            assert "Index" in plan, plan
            assert "Seq Scan" not in plan, plan
