import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from deploy.local.data_folder import DataFolder, free_port
from tests.local_run import PLAIN, LocalRun
from tests.pgbouncer import running_pgbouncer

UNREACHABLE = "postgresql://tripwire:a-secret@127.0.0.1:{port}/tripwire"


def lines_of(folder: Path, environ: Mapping[str, str]) -> list[str]:
    run = LocalRun(folder, environ=environ)
    code, lines = run.ends_by_itself()
    assert code == 1
    assert run.processes() == []
    return lines


@pytest.mark.parametrize("name", ["API", "ADMIN_UI"])
def test_a_taken_port(name: str, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        lines = lines_of(tmp_path, {f"{name}_PORT": str(port)})
    assert lines == [f"{name}_PORT {port} on 127.0.0.1 is taken by another program."]


def test_an_unreachable_database_without_its_password(tmp_path: Path):
    lines = lines_of(tmp_path, {"DATABASE_URL": UNREACHABLE.format(port=free_port())})
    assert len(lines) == 1
    assert lines[0].startswith("DATABASE_URL: the database cannot be reached: ")
    assert "a-secret" not in lines[0]


def test_a_transaction_pooler_without_a_direct_address(empty_database_url: str, tmp_path: Path):
    with running_pgbouncer(tmp_path / "pgbouncer", empty_database_url) as bouncer:
        folder = tmp_path / "clone"
        folder.mkdir()
        lines = lines_of(folder, {"DATABASE_URL": bouncer.url_of(empty_database_url)})
    assert len(lines) == 1
    assert lines[0].startswith("Bad settings: DATABASE_LISTEN_URL is missing: ")


def test_a_direct_address_of_no_database(tmp_path: Path):
    lines = lines_of(tmp_path, {"DATABASE_LISTEN_URL": UNREACHABLE.format(port=free_port())})
    assert lines == ["DATABASE_LISTEN_URL is given without DATABASE_URL."]


def test_bad_variables_all_at_once(tmp_path: Path):
    lines = lines_of(tmp_path, {"WEB_THREADS": "many", "DATABASE_URL": "mysql://host/name"})
    assert len(lines) == 1
    assert "WEB_THREADS" in lines[0]
    assert "DATABASE_URL" in lines[0]


def test_a_bad_variable_in_the_env_file(tmp_path: Path):
    (tmp_path / ".env").write_text("LOG_LEVEL=loud\n", encoding="utf-8")
    assert lines_of(tmp_path, {}) == ["Bad settings: LOG_LEVEL must be one of debug, info, warning, error"]


def test_a_second_run_in_the_same_clone(tmp_path: Path):
    DataFolder(tmp_path / ".data").take()  # this process plays the first run
    lines = lines_of(tmp_path, {})
    assert len(lines) == 1
    assert lines[0].startswith("This clone is running already (process ")


def test_a_wrong_database_password(empty_database_url: str, tmp_path: Path):
    wrong = empty_database_url.replace("application-of-tests", "wrong")
    lines = lines_of(tmp_path, {"DATABASE_URL": wrong})
    assert len(lines) == 1
    assert "password authentication failed" in lines[0]


def test_a_migration_that_fails(empty_database_url: str, redis_url: str, tmp_path: Path):
    with closing(psycopg2.connect(empty_database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE provisioning_requests (of_another_program integer)")
    lines = lines_of(tmp_path, {"DATABASE_URL": empty_database_url, "REDIS_URL": redis_url})
    assert len(lines) == 1
    assert lines[0].startswith("The migrations could not be applied: ")
    assert "provisioning_requests" in lines[0]


def test_data_of_another_version_of_postgresql(tmp_path: Path):
    data = tmp_path / ".data" / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n", encoding="utf-8")
    [line] = lines_of(tmp_path, {})
    assert line.startswith(f"The data in {data} are of PostgreSQL 9, this is ")


def test_a_secret_key_that_could_be_guessed(tmp_path: Path):
    assert lines_of(tmp_path, {"SECRET_KEY": "short"}) == ["Bad settings: SECRET_KEY must have at least 32 characters"]


def test_too_few_open_files_for_postgresql(tmp_path: Path):
    run = LocalRun(tmp_path, ("sh", "-c", 'ulimit -n 40 && exec "$@"', "sh", *PLAIN))
    code, lines = run.ends_by_itself()
    assert code == 1
    assert len(lines) == 1
    assert lines[0].startswith("The embedded PostgreSQL could not be made: insufficient file descriptors")
