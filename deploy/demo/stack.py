"""The system that the tour shows: everything real, on free ports, in a folder that is gone afterwards."""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.demo.telegram import TelegramStandIn
from deploy.local.child import Child
from deploy.local.data_folder import DataFolder, free_port, loopback
from deploy.local.errors import CannotStart
from deploy.local.first_lines import Web
from deploy.local.guard import Guard
from deploy.local.postgres import PostgresServer
from deploy.local.services import MIGRATE, PYTHON, ROOT, service
from deploy.local.supervisor import Supervisor
from deploy.local.valkey import ValkeyServer
from tripwire_shared import timings
from tripwire_shared.settings import address

ADMIN_EMAIL = "admin@example.com"


class DemoStack:
    """`environ` wins over what the stack sets by itself. What the children print is kept for `last_lines`."""

    def __init__(
        self, folder: Path, stop_requested: Callable[[], bool], environ: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.telegram = TelegramStandIn()
        self.password = secrets.token_urlsafe(12)
        self.api_url = ""
        self.last_lines: list[str] = []
        self._data = DataFolder(folder / ".data")
        self._data.take()
        self._guard = Guard(ROOT, hold=self._data.lock)
        self._supervisor = Supervisor(self._guard, self._keep, stop_requested)
        self._postgres = PostgresServer(
            folder / "postgres", free_port(), superuser_password=secrets.token_urlsafe(16),
            password=secrets.token_urlsafe(16), write_line=self._keep, durable=False,
        )  # fmt: skip
        self.valkey = ValkeyServer(
            folder / "valkey", free_port(), password=secrets.token_urlsafe(16), write_line=self._keep
        )
        self._environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "DATABASE_URL": self._postgres.url,
            "REDIS_URL": self.valkey.url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ADMIN_EMAIL": ADMIN_EMAIL,
            "ADMIN_PASSWORD": self.password,
            **self.telegram.variables,
            **(environ or {}),
        }

    @property
    def database_url(self) -> str:
        return self._postgres.url

    @property
    def mail_folder(self) -> Path:
        return self.folder / ".data" / "mail"

    def start(self) -> None:
        """Raises CannotStart, or StopRequested where the user wants no more of it."""
        self._supervisor.watch(self._postgres.child)
        self._supervisor.watch(self.valkey.child)
        self._postgres.start()
        self._postgres.make_database()
        self.valkey.start()
        self._run_migrations()
        port = free_port()
        self.api_url = address(loopback(), port)
        self._start_service("api", API_HOST=loopback(), API_PORT=str(port))
        self._start_service("worker")
        web = Web()
        self._supervisor.wait_until(lambda: web.answers(f"{self.api_url}/readyz"), "The API")

    def pause(self) -> None:
        """Waits a moment. Raises StopRequested."""
        self._supervisor.pause()

    def stop(self) -> None:
        self._supervisor.stop()
        self._guard.close()
        self.telegram.stop()

    def _start_service(self, name: str, **variables: str) -> None:
        self._supervisor.watch(service(name, {**self._environ, **variables}, self.folder, self._keep)).start()

    def _run_migrations(self) -> None:
        migrate = Child(
            "migrate",
            [str(part) for part in MIGRATE],
            environ={**self._environ, **PYTHON},
            folder=self.folder,
            write_line=self._keep,
            stop_limit=timings.LOCAL_STOP_API,
        )
        if self._supervisor.run_once(migrate) != 0:
            raise CannotStart(f"The migrations could not be applied: {self.last_lines[-1:]}")

    def _keep(self, line: str) -> None:
        self.last_lines = [*self.last_lines[-19:], line]
