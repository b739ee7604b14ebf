"""A local run (`make run` or `python -m deploy.local`) as a process of its own, in a folder of its own."""

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from deploy.local.child import Child, running
from deploy.local.data_folder import free_port
from deploy.local.services import ROOT
from tests.waiting import wait_until

PLAIN = (sys.executable, "-m", "deploy.local")
# The virtual environment of this test run serves as the clone's: `-o` keeps make from renewing it and the assets.
MAKE_RUN = ("make", "-o", f"{sys.prefix}/run.stamp", "-o", f"{sys.prefix}/assets.stamp", "run", f"VENV={sys.prefix}")
AS_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
AS_ROOT = ("unshare", "--user", "--map-root-user")
READY_SECONDS = 45.0


def copy_of_clone(folder: Path) -> Path:
    """What a fresh clone holds of the things that `make run` needs, under `folder`."""
    clone = folder / "a clone"  # a folder with a space in its name, as people have them
    clone.mkdir()
    shutil.copy2(ROOT / "Makefile", clone)
    for part in ("deploy", "db", "requirements"):
        shutil.copytree(ROOT / part, clone / part, ignore=shutil.ignore_patterns("__pycache__"))
    for package in ("shared", "services/api", "services/worker", "services/admin-ui"):
        (clone / package).mkdir(parents=True)
        shutil.copy2(ROOT / package / "pyproject.toml", clone / package)
    return clone


class LocalRun:
    """Starts at once; its lines are in `lines`. Its ports are free ones unless `environ` says otherwise."""

    def __init__(self, folder: Path, command: Sequence[str] = PLAIN, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.lines: list[str] = []
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environ = {
            **kept,
            "PYTHONPATH": str(ROOT),
            "API_PORT": str(free_port()),
            "ADMIN_UI_PORT": str(free_port()),
            "WEB_CONCURRENCY": "1",
            **(environ or {}),
        }
        self.child = Child(
            "run", command, environ=self.environ, folder=folder, write_line=self._take, stop_limit=READY_SECONDS
        )
        self.child.start()

    def ready(self) -> "LocalRun":
        """Waits until the first lines stand, the last of which tells how to stop."""

        def shown() -> bool:
            assert self.child.alive, "it ended; its lines stand above"
            return "Stop with Ctrl-C." in self.lines

        wait_until(shown, READY_SECONDS, what="the first lines")
        return self

    def value(self, word: str) -> str:
        """What stands behind `word` in the first lines (`Admin UI` is no `Admin`)."""
        found = [line.partition(word)[2].strip() for line in self.lines if line.startswith(f"{word}  ")]
        return found[0]

    @property
    def curl_line(self) -> str:
        return next(line for line in self.lines if line.startswith("curl "))

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 10.0) -> int:
        """Sends the signal and waits for the end; the exit status. Fails where that takes longer than `seconds`."""
        self.child.signal(number)
        wait_until(lambda: not self.child.alive, seconds, what="the end of the run")
        return self.child.exit_code or 0

    def ends_by_itself(self, seconds: float = READY_SECONDS) -> tuple[int, list[str]]:
        """The exit status and the lines of a run that cannot start."""
        code = self.child.wait(seconds)
        assert code is not None, "it still runs"
        self.child.kill()
        return code, self.lines

    def processes(self) -> list[psutil.Process]:
        """Every process that works in this run's folder: services and servers."""
        return [process for process in psutil.process_iter() if self._is_mine(process)]

    def kill_everything(self) -> None:
        """For the end of a test that failed half-way."""
        self.child.kill()
        for process in self.processes():
            process.kill()

    def _is_mine(self, process: psutil.Process) -> bool:
        try:
            return running(process.pid) and Path(process.cwd()).is_relative_to(self.folder.resolve())
        except (psutil.Error, OSError):
            return False

    def _take(self, line: str) -> None:
        self.lines.append(line)
        print(line)
