"""The real servers of a test run: one PostgreSQL, one Valkey; a cloned database and a Redis number for each test."""

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest
from psycopg2 import sql
from redis import Redis

from deploy.local.data_folder import free_port
from deploy.local.postgres import ROLE, PostgresServer
from deploy.local.services import MIGRATE
from deploy.local.valkey import ValkeyServer
from tests.stack import ADMIN_EMAIL, ADMIN_PASSWORD, Stack
from tripwire_shared.settings import Settings, load_settings

TEMPLATE = "migrated"
NUMBERS = itertools.count(1)


def pytest_configure() -> None:
    """What stands in the environment for the way out has no part in calls to this machine."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "::1", "localhost")))
    os.environ["NETRC"] = os.devnull  # requests would put what it says in place of our own Authorization


def _postgres(folder: Path) -> PostgresServer:
    return PostgresServer(
        folder,
        free_port(),
        superuser_password="superuser-of-tests",
        password="application-of-tests",
        write_line=lambda line: None,
        durable=False,
    )


def _valkey(folder: Path, *, durable: bool) -> ValkeyServer:
    return ValkeyServer(folder, free_port(), password="valkey-of-tests", write_line=lambda line: None, durable=durable)


def _running(server: ValkeyServer) -> Iterator[ValkeyServer]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


def migrate(database_url: str) -> None:
    """Applies all migrations by the same door as `make migrate`."""
    environ = {**os.environ, "DATABASE_URL": database_url}
    answer = subprocess.run(MIGRATE, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def _as_superuser(server: PostgresServer, statement: str, *names: str) -> None:
    # The limit that the code under test sets on every wait of its process is not for this: on a busy machine making or
    # dropping a database takes seconds.
    limit = psycopg2.extensions.get_wait_callback()
    psycopg2.extensions.set_wait_callback(None)
    try:
        connection = psycopg2.connect(server.superuser_url())
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
        connection.close()
    finally:
        psycopg2.extensions.set_wait_callback(limit)


def _database(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{next(NUMBERS)}"
    _as_superuser(server, "CREATE DATABASE {} OWNER {} TEMPLATE {}", name, ROLE, template)
    yield server.url_of(name)
    _as_superuser(server, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """The PostgreSQL of the run, with a migrated template database. Do not stop it: take `own_postgres` for that."""
    server = _postgres(tmp_path_factory.mktemp("postgres"))
    try:
        server.start()
        server.make_database()
        _as_superuser(server, "CREATE DATABASE {} OWNER {}", TEMPLATE, ROLE)
        migrate(server.url_of(TEMPLATE))
        yield server
    finally:
        server.stop()


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """A migrated database of this test's own; the role in the address owns it and is no superuser."""
    yield from _database(postgres, TEMPLATE)


@pytest.fixture
def empty_database_url(postgres: PostgresServer) -> Iterator[str]:
    """A database of this test's own without any migration."""
    yield from _database(postgres, "template1")


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    """A migrated PostgreSQL that the test may stop, kill and start; its address is `own_postgres.url`."""
    server = _postgres(tmp_path / "postgres")
    try:
        server.start()
        server.make_database()
        migrate(server.url)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """The Valkey of the run. Do not stop it: take `own_valkey` for that."""
    yield from _running(_valkey(tmp_path_factory.mktemp("valkey"), durable=False))


@pytest.fixture
def redis_url(valkey: ValkeyServer) -> str:
    """An empty Redis database (a number of the run's server) of this test's own."""
    url = valkey.url_of(next(NUMBERS) % 1024)
    with Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Valkey that the test may `stop()`, `start()`, `freeze()` and `thaw()`; it keeps its data over a restart."""
    yield from _running(_valkey(tmp_path / "valkey", durable=True))


@pytest.fixture
def settings_for(database_url: str, redis_url: str) -> Callable[..., Settings]:
    """Makes settings on this test's servers: `settings_for(web_threads=4, redis_url=own_valkey.url)`."""

    def make(**overrides: Any) -> Settings:
        values = {
            "database_url": database_url,
            "redis_url": redis_url,
            "secret_key": "a-secret-key-for-tests-only-0123456789",
            "admin_email": ADMIN_EMAIL,
            "admin_password": ADMIN_PASSWORD,
            "log_level": "warning",
            **overrides,
        }
        return load_settings(environ={name.upper(): str(value) for name, value in values.items()}, dotenv=None)

    return make


@pytest.fixture
def stack(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Stack]:
    """The services of this test: start those it needs; all are stopped at its end."""
    services = Stack(tmp_path, database_url, redis_url)
    yield services
    services.stop()
