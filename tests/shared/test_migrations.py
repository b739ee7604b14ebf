"""`make migrate`: once, again, by three at once, killed, and with a migration that fails."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from deploy.local.services import ROOT
from tests.catalog import catalog, rows_of_every_table
from tests.waiting import wait_until
from tripwire_shared.migrate import MIGRATION_LOCK_KEY

MIGRATIONS = ROOT / "db" / "migrations"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(empty_database_url: str) -> Start:
    def begin(folder: Path = MIGRATIONS) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tripwire_shared.migrate", folder],
            env={**os.environ, "DATABASE_URL": empty_database_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Its exit status and all that it said."""
    out, err = process.communicate(timeout=50)
    return process.returncode, out + err


def applied(database_url: str) -> list[str]:
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT migration_id FROM _yoyo_migration ORDER BY migration_id")
        return [name for (name,) in cursor.fetchall()]


def with_another(folder: Path, text: str) -> Path:
    """All migrations and one more, in a folder of its own."""
    shutil.copytree(MIGRATIONS, folder)
    newest = max(file.stem for file in folder.glob("*.sql"))
    (folder / "9999_another.sql").write_text(f"-- depends: {newest}\n\n{text}", encoding="utf-8")
    return folder


def test_a_second_one_does_nothing(start: Start, empty_database_url: str):
    total = len(list(MIGRATIONS.glob("*.sql")))
    assert ended(start()) == (0, f"{total} migrations applied.\n")
    before = catalog(empty_database_url) | rows_of_every_table(empty_database_url)

    assert ended(start()) == (0, "0 migrations applied.\n")
    assert catalog(empty_database_url) | rows_of_every_table(empty_database_url) == before


def test_three_at_once_leave_one_result(start: Start, database_url: str, empty_database_url: str):
    ends = [ended(process) for process in [start(), start(), start()]]

    assert [code for code, _ in ends] == [0, 0, 0], ends
    total = len(list(MIGRATIONS.glob("*.sql")))
    assert sorted(int(said.split()[0]) for _, said in ends) == [0, 0, total]
    assert catalog(empty_database_url) == catalog(database_url)
    assert applied(empty_database_url) == applied(database_url)


def test_who_waits_for_its_turn_holds_no_transaction(start: Start, empty_database_url: str):
    """An index that is built concurrently waits for every transaction that it saw, and who waits here waits for it."""
    with closing(psycopg2.connect(empty_database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK_KEY,))
        waiting = start()

        def states() -> list[str]:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            return [state for (state,) in cursor.fetchall()]

        wait_until(states, 20)
        seen = [state for _ in range(100) for state in states() if not time.sleep(0.005)]
        connection.rollback()
    assert seen.count("idle") > 50, seen  # the rest of the time it tries
    assert ended(waiting)[0] == 0


def test_one_that_fails_is_named_in_one_line_and_leaves_nothing_half(
    start: Start, empty_database_url: str, database_url: str, tmp_path: Path
):
    folder = with_another(tmp_path / "migrations", "CREATE TABLE half (id integer);\nSELECT 1 / 0;\n")

    code, said = ended(start(folder))

    assert code == 1
    assert said == "The migrations could not be applied: 9999_another: division by zero\n"
    assert catalog(empty_database_url) == catalog(database_url), "what came before it stays, of itself nothing does"
    (folder / "9999_another.sql").write_text("CREATE TABLE whole (id integer);", encoding="utf-8")
    assert ended(start(folder)) == (0, "1 migration applied.\n")


def test_one_that_depends_on_nothing_known_is_said(start: Start, tmp_path: Path):
    (tmp_path / "0001_lost.sql").write_text("-- depends: 0000_nobody\n\nSELECT 1;", encoding="utf-8")
    code, said = ended(start(tmp_path))
    assert code == 1
    assert re.fullmatch(r"The migrations could not be applied: .*0001_lost.*\n", said)


def test_a_killed_one_leaves_nothing_half_and_nothing_locked(start: Start, empty_database_url: str, tmp_path: Path):
    folder = with_another(tmp_path / "migrations", "CREATE TABLE half (id integer);\nSELECT pg_sleep(600);\n")
    killed = start(folder)
    with closing(psycopg2.connect(empty_database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True

        def asleep() -> int | None:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE '%%pg_sleep%%' AND pid <> pg_backend_pid()"
            )
            row = cursor.fetchone()
            return row[0] if row else None

        backend = wait_until(asleep, 20)
        killed.send_signal(signal.SIGKILL)
        ended(killed)
        # The server notices the loss of a sleeping client late; a real statement would end by itself.
        cursor.execute("SELECT pg_terminate_backend(%s)", (backend,))
        wait_until(lambda: not asleep())

    (folder / "9999_another.sql").write_text("CREATE TABLE half (id integer);", encoding="utf-8")
    assert ended(start(folder)) == (0, "1 migration applied.\n")


def test_a_table_in_use_is_waited_for_a_moment_only(start: Start, empty_database_url: str, tmp_path: Path):
    ended(start())
    folder = with_another(tmp_path / "migrations", "ALTER TABLE staff ADD COLUMN another text;\n")
    with closing(psycopg2.connect(empty_database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM staff")  # a transaction that stays open
        code, said = ended(start(folder))
    assert (code, said) == (
        1,
        "The migrations could not be applied: 9999_another: canceling statement due to lock timeout\n",
    )


def test_they_ask_for_no_extension_beyond_pg_trgm(database_url: str):
    extensions = {line for line in catalog(database_url) if line.startswith("extension ")}
    assert extensions <= {"extension pg_trgm"}
    for file in MIGRATIONS.glob("*.sql"):
        named = re.findall(r"CREATE EXTENSION\s+(?:IF NOT EXISTS\s+)?\"?(\w+)", file.read_text(encoding="utf-8"), re.I)
        assert set(named) <= {"pg_trgm"}, file.name


def test_one_outside_a_transaction_is_run_again_where_it_was_broken_off(
    start: Start, database_url: str, empty_database_url: str
):
    """A killed one leaves some of its statements done, and perhaps an index that is not valid."""
    ended(start())
    applied_before = applied(empty_database_url)
    [fewer] = [name for name in applied_before if name.endswith("_fewer_indexes")]
    with closing(psycopg2.connect(empty_database_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM _yoyo_migration WHERE migration_id = %s", (fewer,))
            cursor.execute("CREATE INDEX requests_of_email ON provisioning_requests (email)")
            cursor.execute("CREATE UNIQUE INDEX steps_in_order ON request_steps (request_id, id)")

    assert ended(start()) == (0, "1 migration applied.\n")

    assert catalog(empty_database_url) == catalog(database_url)
    assert applied(empty_database_url) == applied_before


def test_what_one_outside_a_transaction_sets_ends_with_it(start: Start, empty_database_url: str, tmp_path: Path):
    ended(start())
    folder = with_another(
        tmp_path / "migrations",
        "-- transactional: false\n\nSET lock_timeout = '30s';\nCREATE TABLE patient (id int);\n",
    )
    (folder / "99991_next.sql").write_text(
        "-- depends: 9999_another\n\nCREATE TABLE told AS SELECT current_setting('lock_timeout') AS it;", "utf-8"
    )
    assert ended(start(folder)) == (0, "2 migrations applied.\n")
    with closing(psycopg2.connect(empty_database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT it FROM told")
        assert cursor.fetchone() == ("1s",)
