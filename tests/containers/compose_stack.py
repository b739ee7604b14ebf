"""The compose stack under a project name, ports and secrets of its own, driven by the commands that people use."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import requests

from deploy.local.data_folder import free_port
from deploy.local.services import ROOT

PROJECT = "tripwire-test"
# Two of each, so that one may die.
SCALE = "--scale api=2 --scale admin-ui=2 --scale worker=2"
SERVICES = ("api", "admin-ui", "worker")
FILES = ("docker-compose.yml", "tests/containers/compose.telegram.yml")


def complaint_about_engine() -> str:
    """Why there is no engine to test on, in one line; empty where there is one."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{' '.join(command)}: {type(error).__name__}"
        if answer.returncode != 0:
            return f"{' '.join(command)}: {(answer.stderr.strip() or 'failed').splitlines()[-1]}"
    return ""


def private_clone(folder: Path) -> Path:
    """What the images and the stack are made of, as in a clone made under umask 077 in an odd folder."""
    clone = folder / "клон o'n 1"
    for name in (
        "Makefile",
        "docker-compose.yml",
        ".dockerignore",
        "deploy",
        "db",
        "requirements",
        "shared",
        "services",
    ):
        if (ROOT / name).is_dir():
            left_out = shutil.ignore_patterns("__pycache__", "*.egg-info", "vendor", "secrets")
            shutil.copytree(ROOT / name, clone / name, ignore=left_out)
        else:
            clone.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    for path in (clone, *clone.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    # The stand-in for Telegram is no part of what is shipped.
    shutil.copytree(ROOT / "tests/containers", clone / "tests/containers")
    return clone


class ComposeStack:
    def __init__(self, folder: Path) -> None:
        self.clone = private_clone(folder)
        self.secrets = folder / "secrets"
        self.backups = folder / "backups"
        self.port = free_port()
        self.environ = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": PROJECT,
            "COMPOSE_FILE": os.pathsep.join(FILES),
            "TAG": "test",
            "SECRETS_FOLDER": str(self.secrets),
            "BACKUP_FOLDER": str(self.backups),
            "CONSOLE_SUBNET": "10.213.78.0/24",
            "WORKER_RATE_LIMIT": "200",  # what the load of a test asks for is done while it runs
            "FRONT_SUBNET": "10.213.79.0/24",
            "EDGE_HTTPS_PORT": str(self.port),
            "EDGE_HTTP_PORT": str(free_port()),
            "TELEGRAM_API_URL": "http://telegram:8081",
            "TELEGRAM_BOT_TOKEN": "123:token-of-tests",
            "TELEGRAM_ADMIN_CHAT_ID": "42",
        }

    @property
    def url(self) -> str:
        """The edge, which stands for the API and the admin UI."""
        return f"https://localhost:{self.port}"

    def make(self, target: str, *arguments: str, seconds: float = 300) -> str:
        """`make TARGET` as a person would call it; what it printed."""
        return self._run(["make", target, *arguments], seconds)

    def compose(self, *arguments: str, seconds: float = 120) -> str:
        return self._run(["docker", "compose", *arguments], seconds)

    def docker(self, *arguments: str) -> str:
        return self._run(["docker", *arguments], 60)

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "--quiet", service).split()

    def inspect(self, thing: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.docker("inspect", thing))[0]
        return found

    def inside(self, service: str, python: str) -> str:
        """What a Python program prints in a container of `service`."""
        return self.compose("exec", "--no-TTY", service, "python", "-c", python)

    def alerts(self) -> list[str]:
        lines = self.compose("logs", "--no-log-prefix", "telegram").splitlines()
        return [json.loads(line) for line in lines if line.startswith('"')]

    def log_in(self) -> str:
        body = {"email": "admin@example.com", "password": (self.secrets / "admin_password").read_text()}
        answer = requests.post(f"{self.url}/api/auth/login", json=body, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["token"])

    def image(self, version: str, *lines: str) -> None:
        """Images of another version, as `make build` would leave them: those of the tests, with `lines` more for the
        API's."""
        for service in SERVICES:
            file = "\n".join(
                [f"FROM tripwire-{service}:test", f"LABEL version={version}", *(lines * (service == "api"))]
            )
            build = ["docker", "build", "--quiet", "--tag", f"tripwire-{service}:{version}", "-"]
            subprocess.run(build, input=file, env=self.environ, text=True, capture_output=True, timeout=60, check=True)

    def versions(self) -> dict[str, set[str]]:
        """Of each service the versions that its instances run."""
        return {
            service: {
                str(self.inspect(container)["Config"]["Image"]).partition(":")[2]
                for container in self.containers(service)
            }
            for service in SERVICES
        }

    def _run(self, command: list[str], seconds: float) -> str:
        answer = subprocess.run(
            command, cwd=self.clone, env=self.environ, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert answer.returncode == 0, f"{' '.join(command)}\n{answer.stdout}\n{answer.stderr}"
        return answer.stdout
