"""A child process in a session of its own: started, read line by line, stopped with everything it has started."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

WriteLine = Callable[[str], None]


class Child:
    """One program. Its session keeps a Ctrl-C of the terminal away from it: the supervisor decides the order.

    `stop_signal` asks it to end; after `stop_limit` seconds it and its whole group are killed. Every line it prints
    goes to `write_line`, except those with a part of `unsaid` in them: a server's worries that are none here.
    `on_start` is called with each start, those after a crash included.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environ: Mapping[str, str],
        folder: Path,
        write_line: WriteLine,
        stop_limit: float,
        stop_signal: signal.Signals = signal.SIGTERM,
        unsaid: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.stop_signal = stop_signal
        self.stop_limit = stop_limit
        self.environ = dict(environ)
        self._folder = folder
        self._write_line = write_line
        self._unsaid = unsaid
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.on_start: Callable[[Child], None] = lambda _: None

    @property
    def pid(self) -> int:
        """The process id of the latest start, 0 before the first."""
        return self._process.pid if self._process else 0

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll() if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the program. Raises OSError where it cannot be run."""
        self._process = subprocess.Popen(
            self.command,
            env=self.environ,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",  # whatever the terminal's: our own are told to write it, servers speak English
            errors="replace",
            start_new_session=True,
        )
        self.on_start(self)
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def wait(self, limit: float) -> int | None:
        """Waits at most `limit` seconds for its end; the exit code, or None where it still runs."""
        if self._process is None:
            return None
        try:
            return self._process.wait(limit)
        except subprocess.TimeoutExpired:
            return None

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the program itself (not to what it has started)."""
        if self.alive:
            os.kill(self.pid, number)

    def stop(self) -> bool:
        """Asks it to end, kills what is left after the limit; whether it went by itself."""
        self.signal(self.stop_signal)
        by_itself = self._process is None or self.wait(self.stop_limit) is not None
        self.kill()
        return by_itself

    def kill(self) -> None:
        """Kills the program and whatever it left behind in its group; a dead one's group as well."""
        if self._process is None:
            return
        kill_group(self._process.pid)
        self._process.wait()
        if self._reader is not None:
            self._reader.join(1)  # its last lines; a grandchild in a session of its own may hold the pipe open

    def _read(self, stream: IO[str]) -> None:
        with contextlib.suppress(ValueError, OSError), stream:
            for line in stream:
                if not any(part in line for part in self._unsaid):
                    self._write_line(line.rstrip("\n"))


def kill_group(leader: int) -> None:
    """Kills the process group that `leader` leads or led; nothing where it is empty."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def running(pid: int) -> bool:
    """Whether a process (anybody's child) runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_process(pid: int, number: signal.Signals, limit: float) -> None:
    """Ends a process that is nobody's child any more: the signal, then a kill of its group after `limit` seconds."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    deadline = time.monotonic() + limit
    while running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    kill_group(pid)


def works_in(pid: int, folder: Path) -> bool:
    """Whether the process `pid` runs and has `folder` as its working directory: the mark of our own servers."""
    try:
        return running(pid) and Path(psutil.Process(pid).cwd()) == folder.resolve()
    except (psutil.Error, OSError):
        return False
