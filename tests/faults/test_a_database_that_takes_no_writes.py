"""PostgreSQL that answers but takes no writes, by a quota, after a fail-over or with a full disk: not ready, creates
are refused with 503, it is told past it within ten seconds, and is over by itself."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import requests

from deploy.local.postgres import PostgresServer
from tests.conftest import _postgres, migrate
from tests.invariants import wait_until_settled
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until

ALERTED_WITHIN, BACK_WITHIN = 10.0, 5.0
# The quiet of an outage that is over, and what the machine takes.
RESOLVED_WITHIN = 5.0 + 5.0


class Fault:
    """`word`: what /readyz calls it."""

    word = "read-only"

    def __init__(self, server: PostgresServer, folder: Path) -> None:
        self.server, self.folder = server, folder

    def begin(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError

    def _ask(self, statement: str) -> None:
        with closing(psycopg2.connect(self.server.superuser_url())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


class Quota(Fault):
    """New sessions are read-only, and remain so when it is over."""

    def begin(self) -> None:
        self._ask(f"ALTER DATABASE {self._name} SET default_transaction_read_only = on")

    def end(self) -> None:
        self._ask(f"ALTER DATABASE {self._name} RESET default_transaction_read_only")

    @property
    def _name(self) -> str:
        return self.server.url.rpartition("/")[2]


class QuotaForAll(Quota):
    """And the old sessions are ended."""

    def begin(self) -> None:
        super().begin()
        self._ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'")


class Standby(Fault):
    """It comes back as a standby, and is promoted later."""

    def begin(self) -> None:
        self.server.stop()
        (self.folder / "standby.signal").touch()
        self.server.start()

    def end(self) -> None:
        self._ask("SELECT pg_promote()")


class FullDisk(Fault):
    word = "full"

    def begin(self) -> None:
        with (self.folder.parent / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                return

    def end(self) -> None:
        (self.folder.parent / "filler").unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", folder], check=False, capture_output=True
    ).returncode == 0  # fmt: skip
    if not mounted:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    server = TelegramServer()
    yield server
    server.stop()


def data_folder(server: PostgresServer) -> Path:
    with closing(psycopg2.connect(server.superuser_url())) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        return Path(str(cursor.fetchall()[0][0]))


@pytest.mark.parametrize("kind", [Quota, QuotaForAll, Standby])
def test_a_read_only_database_is_down(
    tmp_path: Path, own_postgres: PostgresServer, redis_url: str, telegram: TelegramServer, kind: type[Fault],
    measured: Callable[[str, float], None],
) -> None:  # fmt: skip
    fault = kind(own_postgres, data_folder(own_postgres))
    stack = Stack(tmp_path, own_postgres.url, redis_url, telegram.variables)
    try:
        _goes_through(stack, fault, telegram, measured)
    finally:
        stack.stop()


def test_a_full_database_is_down(
    tmp_path: Path, small_disk: Path, redis_url: str, telegram: TelegramServer,
    measured: Callable[[str, float], None],
) -> None:  # fmt: skip
    small_disk.chmod(0o777)
    server = _postgres(small_disk / "postgres")
    stack = None
    try:
        server.start()
        server.make_database()
        migrate(server.url)
        stack = Stack(tmp_path, server.url, redis_url, telegram.variables)
        _goes_through(stack, FullDisk(server, data_folder(server)), telegram, measured)
    finally:
        if stack is not None:
            stack.stop()
        server.stop()


def _goes_through(stack: Stack, fault: Fault, telegram: TelegramServer, measured: Callable[[str, float], None]) -> None:
    stack.environ["WORKER_RATE_LIMIT"] = "0"
    stack.start_api(processes=2)
    stack.start_worker()
    manager = Manager(stack.api_url, stack.log_in())
    manager.wait_for(manager.create().json()["request_id"], "provisioned", 20)

    fault.begin()
    began = time.monotonic()
    answers = []

    def alerted() -> bool:
        answers.append(manager.create())
        return bool(telegram.texts("takes no writes"))

    wait_until(alerted, ALERTED_WITHIN, step=0.2, what="the alert")
    measured(f"{type(fault).__name__}: alerted past PostgreSQL after (s)", time.monotonic() - began)
    ready = wait_until(lambda: _unready(stack), 5, what="not ready")
    assert ready["database"] == fault.word
    assert {answer.status_code for answer in answers} <= {201, 202, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert int(answer.headers["Retry-After"]) >= 1
    if isinstance(fault, QuotaForAll | Standby):
        assert answers[-1].status_code == 503
        if isinstance(fault, QuotaForAll):
            assert "read-only" in answers[-1].json()["detail"]

    fault.end()
    ended = time.monotonic()
    if isinstance(fault, QuotaForAll):
        statuses = [manager.create().status_code for _ in range(20)]
        assert set(statuses) == {202}, "no session of before is asked again"
    wait_until(lambda: manager.create().status_code == 202 and not _unready(stack), BACK_WITHIN, what="202, and ready")
    measured(f"{type(fault).__name__}: back after (s)", time.monotonic() - ended)
    wait_until(lambda: telegram.texts("Type: RESOLVED"), RESOLVED_WITHIN, what="RESOLVED")
    wait_until_settled(stack.environ["DATABASE_URL"], 20)
    assert [message.text.partition("Type: ")[2].split("\n")[0] for message in telegram.messages] == [
        "CRITICAL", "RESOLVED",
    ]  # fmt: skip


def _unready(stack: Stack) -> dict[str, str] | None:
    answer = requests.get(f"{stack.api_url}/readyz", timeout=5)
    return dict(answer.json()) if answer.status_code == 503 else None
