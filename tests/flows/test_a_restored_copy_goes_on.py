"""A copy of a working system, restored beside an empty Redis: every accepted request of it is finished, nobody gets a
mail twice, and what is no whole copy or no empty database is refused with one line."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import psycopg2
import pytest
from redis import Redis

from deploy.backup.programs import programs_for_dumping
from deploy.local.binaries import find_pg_bin
from deploy.local.data_folder import free_port
from deploy.local.errors import CannotStart
from deploy.local.postgres import PostgresServer
from deploy.local.services import ROOT
from tests.attempts import attempt
from tests.backups import back_up, refusal, restore, run
from tests.catalog import catalog
from tests.conftest import migrate
from tests.faults.load import Load
from tests.invariants import assert_all_kept, assert_nothing_broken, count, wait_until_settled
from tests.local_run import MAKE_RUN, LocalRun, copy_of_clone
from tests.resources import Resources, build_resources
from tests.sales_manager import Manager
from tests.shared.mail_server import MailServer, mail_server
from tests.shared.rows import provisioned, rows
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_shared.settings import Settings

# What tells that a clone has a database of `make run`, and one of the compose stack.
RUNS, COMPOSES = ".data/postgres/data/PG_VERSION", "deploy/compose/secrets/postgres_password"
OLDER = Path("/usr/lib/postgresql/15/bin")
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def resources(settings_for: Callable[..., Settings]) -> Iterator[Resources]:
    built = build_resources(settings_for(worker_rate_limit=0, job_max_attempts=1), service="sweep")
    yield built
    built.database.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[[], PostgresServer]]:
    servers: list[PostgresServer] = []

    def make() -> PostgresServer:
        servers.append(
            PostgresServer(
                tmp_path / "postgres",
                free_port(),
                superuser_password="s",
                password="p",
                write_line=print,
                durable=False,
            )
        )
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def copy(resources: Resources, tmp_path: Path) -> Path:
    """A copy of a database with one customer."""
    provisioned(resources)
    return back_up(resources.settings.database_url, tmp_path / "backups")


def test_every_accepted_request_of_the_copy_is_finished_once_and_nobody_gets_a_second_mail(
    stack: Stack, resources: Resources, mails: MailServer, tmp_path: Path, empty_database_url: str
):
    stack.environ |= {"SMTP_URL": mails.url, "SWEEP_AFTER_SECONDS": "0"}
    stack.start_api(SMTP_URL=f"smtp://127.0.0.1:{free_port()}")  # so that it sends nothing in the worker's place
    manager = Manager(stack.api_url, stack.log_in())

    def accepted(number: int, **more: str) -> list[str]:
        answers = [manager.create(**more) for _ in range(number)]
        assert {answer.status_code for answer in answers} == {202}
        return [answer.json()["request_id"] for answer in answers]

    worker = stack.start_worker()
    mailed = accepted(3)
    wait_until_settled(stack.environ["DATABASE_URL"], 30)
    worker.stop()
    failed, [taken] = accepted(1, password="a good password"), accepted(1)
    rows(resources.database, "UPDATE provisioning_requests SET sealed_password = 'x' WHERE id = %s", failed[0])
    rows(resources.database, "INSERT INTO auth.users (id, email) SELECT gen_random_uuid(), email"
                             " FROM provisioning_requests WHERE id = %s", taken)  # fmt: skip
    attempt(resources, failed[0])
    attempt(resources, taken)
    mail_waits = accepted(1)
    attempt(resources, mail_waits[0])
    waiting = accepted(3) + accepted(1, password="a good password")
    claimed = accepted(1)
    [claim] = resources.claims.claim([UUID(claimed[0])], door="queue")  # of a process that is lost with everything else
    states = "SELECT status, count(*) FROM provisioning_requests GROUP BY status ORDER BY status"
    assert rows(resources.database, states) == [("accepted", 5), ("duplicate", 1), ("failed", 1), ("provisioned", 4)]
    assert mails.arrived().total() == 3

    file = back_up(stack.environ["DATABASE_URL"], tmp_path / "backups")
    lost = accepted(1)  # after the copy
    stack.stop()
    said = restore(file, empty_database_url)
    assert "with 11 requests and 4 customers; 5 to be finished, 1 mails to be sent." in said

    with Redis.from_url(stack.environ["REDIS_URL"]) as redis:
        redis.flushdb()
    stack.environ["DATABASE_URL"] = empty_database_url
    stack.start_worker()
    wait_until_settled(empty_database_url, 40)
    kept = [*mailed, *mail_waits, *waiting, str(claim.request_id)]
    assert_all_kept(empty_database_url, [*kept, *failed], failed=1)
    assert set(mails.arrived().values()) == {1}
    assert mails.arrived().total() == len(kept)
    assert count(empty_database_url, f"SELECT count(*) FROM provisioning_requests WHERE id = '{lost[0]}'") == 0
    with closing(psycopg2.connect(empty_database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT encrypted_password FROM auth.users WHERE encrypted_password IS NOT NULL")
        [(password_hash,)] = cursor.fetchall()
    assert resources.hasher.verify(password_hash, "a good password"), "it was unsealed with the same SECRET_KEY"


@pytest.mark.long
def test_what_redis_knows_of_a_newer_time_does_no_harm(
    stack: Stack, resources: Resources, tmp_path: Path, empty_database_url: str
):
    """Redis survived and the database did not: it holds ids that the copy does not know, and some that are finished."""
    stack.start_api()
    manager = Manager(stack.api_url, stack.log_in())
    in_both = manager.create().json()["request_id"]
    file = back_up(stack.environ["DATABASE_URL"], tmp_path / "backups")
    only_in_redis = [manager.create().json()["request_id"] for _ in range(3)]
    stack.stop()
    restore(file, empty_database_url)

    stack.environ["DATABASE_URL"] = empty_database_url
    stack.start_worker()
    wait_until_settled(empty_database_url, 40)
    with Redis.from_url(stack.environ["REDIS_URL"]) as redis:
        wait_until(
            lambda: sum(redis.llen(key) for key in redis.scan_iter("rq:queue:*")) == 0, 20, what="an empty queue"
        )
    assert_all_kept(empty_database_url, [in_both])
    assert count(empty_database_url, "SELECT count(*) FROM provisioning_requests") == 1
    assert len(only_in_redis) == 3
    assert count(empty_database_url, "SELECT count(*) FROM system_health_logs WHERE event_type = 'CRITICAL'") == 0


@pytest.mark.long
def test_a_copy_made_under_load_is_of_one_moment(stack: Stack, tmp_path: Path, empty_database_url: str, redis_url: str):
    stack.start_api(API_RATE_LIMIT="0")
    stack.start_worker(WORKER_RATE_LIMIT="0")
    url = stack.environ["DATABASE_URL"]
    with Load([stack.api_url], stack.log_in(), per_second=40.0) as load:
        wait_until(lambda: count(url, "SELECT count(*) FROM sales") > 20, 20)
        file = back_up(url, tmp_path / "backups")
        before = len(load.accepted)
        wait_until(lambda: len(load.accepted) > before, 20)
    restore(file, empty_database_url)
    assert_nothing_broken(empty_database_url)
    assert 20 < count(empty_database_url, "SELECT count(*) FROM sales") < count(url, "SELECT count(*) FROM sales")


def test_a_restored_database_is_the_one_that_was_copied(
    resources: Resources, copy: Path, database_url: str, empty_database_url: str
):
    restore(copy, empty_database_url)
    assert catalog(empty_database_url) == catalog(database_url)
    for table in (
        "staff",
        "auth.users",
        "provisioning_requests",
        "invitations",
        "outbox",
        "system_config",
        "_yoyo_migration",
    ):
        found = [everything(url, table) for url in (database_url, empty_database_url)]
        assert found[0] == found[1] != [], table


def everything(database_url: str, table: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
        return cursor.fetchall()


def test_a_migrated_database_without_data_takes_it_and_one_with_data_refuses_it(
    copy: Path, database_url: str, empty_database_url: str
):
    migrate(empty_database_url)
    with closing(psycopg2.connect(empty_database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO staff (id, email, full_name, role) VALUES (%s, 'a@example.com', 'A', 'admin')",
                       (str(uuid4()),))  # fmt: skip
    restore(copy, empty_database_url)
    assert catalog(empty_database_url) == catalog(database_url)

    before = count(empty_database_url, "SELECT count(*) FROM tripwire_users")
    said = refusal("restore", str(copy), DATABASE_URL=empty_database_url)
    assert said == "Nothing was restored: the database is not empty: auth.users holds data."
    assert count(empty_database_url, "SELECT count(*) FROM tripwire_users") == before


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE TABLE profiles (id integer)", "the database holds tables that are not ours (profiles)"),
        ("CREATE SCHEMA auth CREATE TABLE users (id uuid, email text); INSERT INTO auth.users VALUES (NULL, 'a@b')",
         "the database is not empty: auth.users holds data."),
    ],
)  # fmt: skip
def test_what_is_anothers_is_left_alone(copy: Path, empty_database_url: str, statement: str, why: str):
    with closing(psycopg2.connect(empty_database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
    before = catalog(empty_database_url)
    assert why in refusal("restore", str(copy), DATABASE_URL=empty_database_url)
    assert catalog(empty_database_url) == before


def test_a_database_in_use_is_refused(copy: Path, empty_database_url: str):
    with closing(psycopg2.connect(empty_database_url)):
        said = refusal("restore", str(copy), DATABASE_URL=empty_database_url)
    assert said == (
        "Nothing was restored: the database is in use (1 connections): stop API, worker and admin UI first."
    )


@pytest.mark.parametrize(
    "how", ["truncated in its data", "truncated in its head", "with other bytes", "no copy", "absent"]
)
def test_a_file_that_is_no_whole_copy_is_refused_before_anything_is_touched(
    resources: Resources, tmp_path: Path, empty_database_url: str, how: str
):
    for number in range(40):
        provisioned(resources, f"customer{number}@example.com", uuid4().hex * 4)
    file = back_up(resources.settings.database_url, tmp_path / "backups")
    whole = file.read_bytes()
    broken = {
        "truncated in its data": whole[:-200],
        "truncated in its head": whole[:500],
        "with other bytes": whole[:-2000] + bytes(byte ^ 255 for byte in whole[-2000:-1000]) + whole[-1000:],
        "no copy": b"-- SQL\n" * 100,
    }
    file.unlink() if how == "absent" else file.write_bytes(broken[how])
    said = refusal("restore", str(file), DATABASE_URL=empty_database_url)
    assert said.startswith(str(file))
    assert catalog(empty_database_url) == set()


def test_a_restore_that_breaks_off_leaves_nothing(
    resources: Resources, copy: Path, tmp_path: Path, empty_database_url: str
):
    """pg_restore that dies in the middle: what it had sent by then is rolled back."""
    programs = tmp_path / "programs"
    programs.mkdir()
    real = find_pg_bin() / "pg_restore"
    for name in ("pg_dump", "psql"):
        (programs / name).symlink_to(find_pg_bin() / name)
    dying = programs / "pg_restore"
    dying.write_text(
        f'#!/bin/sh\ncase "$*" in *--no-owner*) {real} "$@" | head -n 400; exit 1 ;; esac\nexec {real} "$@"\n'
    )
    dying.chmod(0o755)
    answer = run("restore", str(copy), DATABASE_URL=empty_database_url, TRIPWIRE_PG_BIN=str(programs))
    assert answer.returncode == 1
    assert answer.stderr.startswith("Nothing was restored: ")
    assert catalog(empty_database_url) == set()


def test_copies_are_private_and_kept_by_count_and_age(resources: Resources, copy: Path, tmp_path: Path):
    folder = copy.parent
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert oct(copy.stat().st_mode)[-3:] == "600"
    copy.unlink()

    def made(day: str, *, age_in_days: int = 0) -> str:
        file = folder / f"{copy.name.rpartition('-')[0]}-{day}.dump"
        file.write_bytes(b"a copy")
        at = time.time() - age_in_days * 86_400 - 60
        os.utime(file, (at, at))
        return file.name

    others = folder / "another-20010101T000000Z.dump"
    others.write_bytes(b"")
    (folder / ".partial.abc123").write_bytes(b"left behind by a crash")
    os.utime(folder / ".partial.abc123", (0, 0))
    gone = [made("20260103T120000Z", age_in_days=40), made("20260203T100000Z"), made("20260203T110000Z")]
    stay = [made("20260203T120000Z"), made("20260204T100000Z"), made("20260204T120000Z")]
    newest = back_up(resources.settings.database_url, folder, BACKUP_KEEP="3", BACKUP_KEEP_DAYS="30")
    assert sorted(file.name for file in folder.iterdir()) == sorted([*stay, newest.name, others.name])
    assert not set(gone) & {file.name for file in folder.iterdir()}


@pytest.mark.long
def test_a_backup_that_fails_says_why_in_one_line_and_leaves_nothing(
    database_url: str, empty_database_url: str, tmp_path: Path
):
    folder = tmp_path / "backups"
    wrong = re.sub(r":[^:@]*@", ":wrong%20password@", database_url)
    said = refusal("backup", DATABASE_URL=wrong, BACKUP_FOLDER=str(folder))
    assert "password authentication failed" in said
    assert "wrong password" not in said
    said = refusal("backup", DATABASE_URL=f"postgresql://a@127.0.0.1:{free_port()}/b", BACKUP_FOLDER=str(folder))
    assert "Connection refused" in said
    said = refusal("backup", DATABASE_URL=empty_database_url, BACKUP_FOLDER=str(folder))
    assert said.endswith("holds no tables of ours.")
    said = refusal("backup", DATABASE_URL=database_url, BACKUP_FOLDER="/proc/backups")
    assert said.startswith("The backup failed: ")
    said = refusal("backup", DATABASE_URL=database_url, BACKUP_FOLDER=str(folder), BACKUP_KEEP="0")
    assert said.startswith("Bad settings: BACKUP_KEEP ")
    assert not list(folder.glob("*")) + list(folder.glob(".*"))


def test_a_full_disk_leaves_no_half_copy(database_url: str, tmp_path: Path):
    steps = f"mount -t tmpfs -o size=32k none {tmp_path} && {sys.executable} -m deploy.backup backup; ls -A {tmp_path}"
    answer = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", steps],
        check=False,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "BACKUP_FOLDER": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "unshare" in answer.stderr or "mount:" in answer.stderr:
        pytest.skip("No small disk can be made here (unshare --user is not permitted).")
    assert answer.stderr == "The backup failed: No space left on device\n"
    assert answer.stdout.splitlines() == [f"Backing up {said_of(database_url)}."]


def said_of(database_url: str) -> str:
    return f"the database {database_url.rpartition('/')[2]} at 127.0.0.1"


@pytest.mark.skipif(not OLDER.is_dir(), reason=f"There is no PostgreSQL 15 in {OLDER}.")
@pytest.mark.long
def test_an_older_server_is_copied_with_its_own_programs_and_restored_with_the_newest(
    own_server: Callable[[], PostgresServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("TRIPWIRE_PG_BIN", str(OLDER))
    server = own_server()
    monkeypatch.delenv("TRIPWIRE_PG_BIN")
    server.start()
    server.make_database()
    migrate(server.url)
    file = back_up(server.url, tmp_path / "backups")
    assert file.read_bytes()[5:7] == b"\x01\x0e", "format 1.14 is that of pg_dump 15"
    before = catalog(server.url)
    restore(file, server.url)  # freshly migrated
    assert catalog(server.url) == before


def test_a_server_for_which_there_are_no_programs_is_said():
    with pytest.raises(CannotStart, match="The server is PostgreSQL 99: pg_dump, pg_restore and psql of version 99"):
        programs_for_dumping(99)


def test_no_password_stands_in_an_argument(database_url: str, tmp_path: Path):
    seen = tmp_path / "arguments"
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        (programs / name).write_text(f'#!/bin/sh\necho "$@" >>{seen}\nexec {find_pg_bin() / name} "$@"\n')
        (programs / name).chmod(0o755)
    back_up(database_url, tmp_path / "backups", TRIPWIRE_PG_BIN=str(programs))
    assert "--format=custom" in seen.read_text()
    assert "application-of-tests" not in seen.read_text()


@pytest.mark.long
def test_the_database_of_make_run_is_copied_while_it_runs_and_when_it_is_stopped(tmp_path: Path):
    (tmp_path / "first").mkdir()
    first = LocalRun(tmp_path / "first")
    try:
        first.ready()
        token = first.curl_line.partition("Bearer ")[2].partition("'")[0]
        manager = Manager(first.value("API"), token)
        manager.wait_for(manager.create().json()["request_id"], "provisioned")
        said = run("backup", folder=first.folder)
        assert said.returncode == 0, said.stderr
        assert said.stdout.startswith("Backing up the database of the `make run` that runs here.")
        [file] = (first.folder / "backups").glob("tripwire-*.dump")
        said = run("restore", str(file), folder=first.folder)
        assert said.returncode == 1
        assert "is in use" in said.stderr
        assert first.end() == 0
        said = run("backup", folder=first.folder)
        assert said.returncode == 0, said.stderr
        assert "`make run`, which is stopped" in said.stdout
        assert len(list((first.folder / "backups").glob("tripwire-*.dump"))) == 2
        assert first.processes() == []
    finally:
        first.kill_everything()

    # Another clone, where nothing was ever started, but with the secrets of the first.
    other = tmp_path / "other"
    (other / ".data").mkdir(parents=True, mode=0o700)
    shutil.copytree(first.folder / ".data" / "secrets", other / ".data" / "secrets")
    assert run("backup", folder=other).returncode == 1
    said = run("restore", str(file), folder=other)
    assert said.returncode == 0, said.stderr
    second = LocalRun(other)
    try:
        second.ready()
        token = second.curl_line.partition("Bearer ")[2].partition("'")[0]
        found = Manager(second.value("API"), token).call("GET", "/api/admin/tripwire/users").json()
        assert found["total"] == 1
    finally:
        second.kill_everything()


@pytest.mark.parametrize(
    ("here", "variables", "said"),
    [
        ((), {}, "There is no database here: no DATABASE_URL is given"),
        ((RUNS, COMPOSES), {}, "Which one? make backup STACK=run or STACK=compose"),
        ((RUNS, COMPOSES), {"STACK": "compose"}, "PostgreSQL of the compose stack does not run: make up"),
        ((COMPOSES,), {}, "PostgreSQL of the compose stack does not run: make up"),
        (
            (COMPOSES,),
            {"DATABASE_URL": "postgresql://a@127.0.0.1:1/b"},
            "The database b at 127.0.0.1 cannot be reached",
        ),
        ((), {"STACK": "other"}, "STACK is run or compose."),
    ],
)
def test_make_backup_finds_the_database_that_is_meant(
    tmp_path: Path, here: tuple[str, ...], variables: dict[str, str], said: str
):
    clone = copy_of_clone(tmp_path)
    for name in here:
        (clone / name).parent.mkdir(parents=True)
        (clone / name).touch()
    answer = subprocess.run(
        [*(part for part in MAKE_RUN if part != "run"), "backup"],
        check=False,
        cwd=clone,
        # The outer make's `-o` does not reach the inner one.
        env={"PATH": os.environ["PATH"], "DOCKER_HOST": "unix:///nobody", **variables}
        | {"MAKEFLAGS": f"-o {sys.prefix}/run.stamp"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode != 0
    assert said in answer.stderr
