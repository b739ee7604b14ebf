"""An embedded PostgreSQL: made once, started, stopped, and cleared of what a killed run left behind."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from psycopg2 import sql

from deploy.local.binaries import as_ordinary_user, find_pg_bin
from deploy.local.child import Child, WriteLine, end_process, works_in
from deploy.local.data_folder import loopback, write_private
from deploy.local.errors import CannotStart
from tripwire_shared import timings
from tripwire_shared.settings import host_and_port

ROLE = "tripwire"
DATABASE = "tripwire"
SUPERUSER = "postgres"
# Huge pages that a container is not allowed end a server with a bus error, and /dev/shm may be missing or tiny there.
MEMORY_ANYWHERE = ("huge_pages=off", "dynamic_shared_memory_type=mmap")
# Refused statements are told by the service that made them. Here they, their values and what the server says in detail
# (a row, the statements of a deadlock, what a killed session was at) would show names and addresses. The same stands in
# docker-compose.yml.
SAYS_NOTHING_PERSONAL = (
    "log_min_messages=log",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "log_min_duration_sample=-1",
    "log_transaction_sample_rate=0",
    "log_lock_waits=off",
)


# What initdb of which version takes.
INITDB_TAKES_OPTIONS = 16
INITDB_HAS_BUILTIN_LOCALE = 17
_OF_A_SHELL = frozenset('$`"\\')


class PostgresServer:
    """A server on this machine's own address with its data under `folder`. The application's role owns its database
    and is no superuser.

    `durable=False` is for tests: a crash of the machine may cost the data.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        superuser_password: str,
        password: str,
        write_line: WriteLine,
        durable: bool = True,
    ) -> None:
        self.port = port
        self._folder = folder
        self._data = folder / "data"
        self._superuser_password = superuser_password
        self._password = password
        self._durable = durable
        self._bin = find_pg_bin()
        self._prefix = as_ordinary_user()
        self._host = loopback()
        # Neither PGDATA nor a locale of the caller's may have a say; an empty socket folder: TCP only.
        self._environ = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        options = [f"listen_addresses={self._host}", "unix_socket_directories=", "timezone=UTC", "log_timezone=UTC"]
        options += MEMORY_ANYWHERE
        options += [*SAYS_NOTHING_PERSONAL, "log_checkpoints=off"]
        options += [] if durable else ["fsync=off", "full_page_writes=off", "max_connections=200"]
        settings = [part for option in options for part in ("-c", option)]
        self.child = Child(
            "postgres",
            [*self._prefix, self._bin / "postgres", "-D", self._data.absolute(), "-p", str(port), *settings],
            environ=self._environ,
            folder=folder,
            write_line=write_line,
            stop_signal=signal.SIGINT,  # fast: ends the sessions, then checkpoints
            stop_limit=timings.LOCAL_STOP_POSTGRES,
            unsaid=("the database system is starting up",),  # the answer to our own look, said as FATAL
        )

    @property
    def url(self) -> str:
        """The application's own connection."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql://{ROLE}:{self._password}@{host_and_port(self._host, self.port)}/{database}"

    def superuser_url(self, database: str = "postgres") -> str:
        return f"postgresql://{SUPERUSER}:{self._superuser_password}@{host_and_port(self._host, self.port)}/{database}"

    def start(self) -> None:
        """Makes the cluster where there is none, starts the server and waits until it takes connections.

        Raises CannotStart where it ends instead, or does not answer in time.
        """
        if not (self._data / "PG_VERSION").is_file():
            self._make_cluster()
        self._check_version()
        self._clear_leftover()
        self.child.start()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Waits until the server takes connections. Raises CannotStart as `start` does."""
        deadline = time.monotonic() + timings.LOCAL_START_LIMIT
        while True:
            try:
                psycopg2.connect(self.superuser_url(), connect_timeout=timings.LOCAL_CONNECT_TIMEOUT).close()
                return
            except psycopg2.OperationalError as error:
                reason = str(error).strip().splitlines()[-1]
            if not self.child.alive:
                raise CannotStart("PostgreSQL ended while it started; its last lines say why.")
            if time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL does not answer: {reason}")
            time.sleep(0.02)

    def stop(self) -> None:
        self.child.stop()

    def make_database(self) -> None:
        """Makes the application's role and its database where they are missing."""
        connection = psycopg2.connect(self.superuser_url(), connect_timeout=timings.LOCAL_CONNECT_TIMEOUT)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,))
                if cursor.fetchone() is None:
                    create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(sql.Identifier(ROLE))
                    cursor.execute(create, (self._password,))
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    names = sql.Identifier(DATABASE), sql.Identifier(ROLE)
                    cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
        finally:
            connection.close()

    def _make_cluster(self) -> None:
        """Runs initdb beside the final place and moves the result there, so that a killed one leaves nothing half."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch, self._plain_bin() as programs:
            password = Path(scratch) / "password"
            write_private(password, self._superuser_password)
            command: list[str | Path] = [
                *self._prefix,
                programs / "initdb",
                "-D",
                new,
                "-U",
                SUPERUSER,
                f"--pwfile={password}",
            ]
            command += ["--auth=scram-sha-256", "--encoding=UTF8", *self._locale()]
            if self._version() >= INITDB_TAKES_OPTIONS:
                command += [part for option in MEMORY_ANYWHERE for part in ("-c", option)]
            command += [] if self._durable else ["--no-sync"]
            answer = subprocess.run(
                command,
                env=self._environ,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=timings.LOCAL_READY_LIMIT,
                check=False,
            )
        if answer.returncode != 0:
            raise CannotStart(f"The embedded PostgreSQL could not be made: {_reason(answer.stderr)}")
        new.rename(self._data)

    def _locale(self) -> list[str]:
        """The same order of text on every system, where this PostgreSQL (17 or newer) brings it along."""
        if self._version() < INITDB_HAS_BUILTIN_LOCALE:
            return ["--locale=C"]
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

    def _version(self) -> int:
        answer = subprocess.run([self._bin / "postgres", "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"\d+", answer.stdout)
        return int(version.group()) if version else 0

    def _check_version(self) -> None:
        """Raises CannotStart where the data are another major version's: the server would only end."""
        made_by, here = (self._data / "PG_VERSION").read_text(encoding="utf-8").strip(), self._version()
        if here and made_by != str(here):
            raise CannotStart(
                f"The data in {self._data} are of PostgreSQL {made_by}, this is {here}: "
                "set TRIPWIRE_PG_BIN to that version's programs, or move the folder away to begin anew."
            )

    @contextmanager
    def _plain_bin(self) -> Iterator[Path]:
        """Where initdb is run from: it puts its own path into command lines of a shell, between double quotes."""
        if not _OF_A_SHELL & set(str(self._bin)):
            yield self._bin
            return
        parent = next((folder for folder in (tempfile.gettempdir(), "/tmp") if not _OF_A_SHELL & set(folder)), None)  # noqa: S108
        with tempfile.TemporaryDirectory(prefix="tripwire-initdb-", dir=parent) as copy:
            installed = self._bin.parent
            programs = Path(copy) / installed.parent.name / installed.name
            shutil.copytree(installed, programs, symlinks=True)
            for libraries in installed.parent.parent.glob("*.libs"):  # a wheel's programs look for them there
                (Path(copy) / libraries.name).symlink_to(libraries)
            yield programs / self._bin.name

    def _clear_leftover(self) -> None:
        """Ends a server of ours that outlived its supervisor; forgets a process id that is another program's now."""
        file = self._data / "postmaster.pid"
        try:
            pid = int(file.read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if works_in(pid, self._data):
            end_process(pid, signal.SIGINT, timings.LOCAL_STOP_POSTGRES)
        else:
            file.unlink(missing_ok=True)


def _reason(said: str) -> str:
    """initdb's own reason: the lines after it are hints and what it removes again."""
    found = re.search(r"(?:error|FATAL): +(.+)", said)
    return found.group(1) if found else (said.strip().splitlines() or ["no reason given"])[-1]
