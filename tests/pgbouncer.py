"""A real PgBouncer in front of a test's PostgreSQL: Debian's package, as there is no wheel with its program."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local.binaries import as_ordinary_user
from deploy.local.child import Child
from deploy.local.data_folder import free_port
from tests.waiting import wait_until

# Start-up parameters that it does not know are refused, as it comes.
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {pool_mode}
default_pool_size = {pool_size}
max_client_conn = 500
"""


@contextmanager
def running_pgbouncer(
    folder: Path, database_url: str, *, pool_mode: str = "transaction", pool_size: int = 2
) -> Iterator["PgBouncer"]:
    """Skips the test where there is none."""
    bouncer = PgBouncer(folder, database_url, pool_mode=pool_mode, pool_size=pool_size)
    bouncer.start()
    try:
        yield bouncer
    finally:
        bouncer.stop()


class PgBouncer:
    """Serves every database of the server in `database_url` to that address' role, by `pool_size` sessions for each."""

    def __init__(self, folder: Path, database_url: str, *, pool_mode: str, pool_size: int) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if program is None:
            pytest.skip("no PgBouncer here: Debian's package `pgbouncer` brings it")
        folder.mkdir()
        self._port, self._server_port = free_port(), urlsplit(database_url).port
        users, configuration = folder / "users.txt", folder / "pgbouncer.ini"
        users.write_text('"{0.username}" "{0.password}"\n'.format(urlsplit(database_url)), encoding="utf-8")
        configuration.write_text(
            CONFIGURATION.format(
                server_port=self._server_port, port=self._port, users=users, pool_mode=pool_mode, pool_size=pool_size
            ),
            encoding="utf-8",
        )
        self._child = Child(
            "pgbouncer",
            [*as_ordinary_user(), program, configuration],
            environ={},
            folder=folder,
            write_line=lambda line: print(f"pgbouncer | {line}"),
            stop_signal=signal.SIGTERM,  # at once
            stop_limit=5,
        )

    def start(self) -> None:
        self._child.start()
        wait_until(self._listens, 10)

    def stop(self) -> None:
        self._child.stop()

    def url_of(self, database_url: str) -> str:
        """The same database, through it."""
        return database_url.replace(f":{self._server_port}/", f":{self._port}/")

    def _listens(self) -> bool:
        assert self._child.alive, "PgBouncer ended; its lines stand above"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0
