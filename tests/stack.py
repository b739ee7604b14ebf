"""The real services as processes of their own on free ports: for flows and faults."""

import os
from collections.abc import Mapping
from pathlib import Path

import requests

from deploy.local.child import Child
from deploy.local.data_folder import free_port
from deploy.local.services import service
from tests.waiting import wait_until

ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "correct horse battery"
START_SECONDS = 20.0


class Stack:
    """Starts services against the given database and Redis; what they print is shown where a test fails.

    `environ` holds further variables for every service. `folder` is their working directory: mails land in
    `folder`/.data/mail. Stop a stack with `stop()`; the fixture `stack` does.
    """

    def __init__(
        self, folder: Path, database_url: str, redis_url: str, environ: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.children: list[Child] = []
        self.api_url = ""
        self.admin_ui_url = ""
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": "a-secret-key-for-tests-only-0123456789",
            "ADMIN_EMAIL": ADMIN_EMAIL,
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            "LOG_FORMAT": "console",
            **(environ or {}),
        }

    @property
    def mail_folder(self) -> Path:
        return self.folder / ".data" / "mail"

    def start_api(self, processes: int = 1, **variables: str) -> Child:
        """Starts an API (the first one becomes `api_url`) and waits until it is ready. `variables` are for it alone."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        child = self._start("api", {"API_PORT": str(port), "WEB_CONCURRENCY": str(processes), **variables})
        self.api_url = self.api_url or url
        self.environ.setdefault("PUBLIC_URL", self.api_url)  # links in mails, whichever process sends them
        self._wait_for(child, f"{url}/readyz")
        return child

    def start_admin_ui(self, **variables: str) -> Child:
        """Starts the admin UI in front of this stack's API and waits until it shows its login page."""
        port = free_port()
        self.admin_ui_url = f"http://127.0.0.1:{port}"
        child = self._start("admin-ui", {"ADMIN_UI_PORT": str(port), "API_URL": self.api_url, **variables})
        self._wait_for(child, f"{self.admin_ui_url}/login")
        return child

    def start_worker(self, **variables: str) -> Child:
        """Starts a worker service; it takes up work when it is ready, which a test sees by the work."""
        return self._start("worker", variables)

    def log_in(self, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> str:
        """A bearer token for this account; the first admin without arguments."""
        answer = requests.post(
            f"{self.api_url}/api/auth/login", json={"email": email, "password": password}, timeout=10
        )
        answer.raise_for_status()
        return str(answer.json()["token"])

    def stop(self) -> None:
        """Stops everything, last started first."""
        for child in reversed(self.children):
            child.stop()
        self.children.clear()

    def _start(self, name: str, variables: Mapping[str, str]) -> Child:
        number = sum(child.name == name for child in self.children) + 1

        def show(line: str) -> None:
            print(f"{name} {number} | {line}\n", end="")  # in one write: several threads print

        child = service(name, {**self.environ, **variables}, self.folder, show)
        child.start()
        self.children.append(child)
        return child

    def _wait_for(self, child: Child, url: str) -> None:
        def ready() -> bool:
            assert child.alive, f"{child.name} ended with {child.exit_code}; its lines stand above"
            try:
                return requests.get(url, timeout=2).status_code == 200
            except requests.RequestException:
                return False

        wait_until(ready, START_SECONDS, step=0.05, what=f"200 from {url}")
