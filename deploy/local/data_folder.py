"""`.data/`: what a local run keeps between two runs, readable by its owner alone."""

import contextlib
import errno
import fcntl
import json
import os
import secrets
import socket
import time
from pathlib import Path

from deploy.local.child import running
from deploy.local.errors import CannotStart, RunningAlready
from tripwire_shared import timings


class DataFolder:
    """Secrets, ports and the servers' data under one folder, held by one run at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def take(self) -> None:
        """Makes the folder and holds it for this process. Raises CannotStart where another run holds it."""
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            self.path.chmod(0o700)
            self._lock = os.open(self.path / "running.pid", os.O_RDWR | os.O_CREAT, 0o600)
            self._hold(self._lock)
        except OSError as error:
            raise CannotStart(f"{self.path} cannot be used: {error.strerror}.") from None

    def secret(self, name: str, size: int = 24) -> str:
        """The secret kept under `name`, made of `size` random bytes at its first use."""
        folder = self.path / "secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / name
        if not file.is_file():
            write_private(file, secrets.token_urlsafe(size))
        return file.read_text(encoding="utf-8").strip()

    def port(self, name: str) -> int:
        """A free port for the server `name`: the one of the last run, or another where that is taken now."""
        file = self.path / "ports.json"
        ports = _read_ports(file)
        if name not in ports or not is_free(loopback(), ports[name]):
            ports[name] = free_port()
            write_private(file, json.dumps(ports))
        return ports[name]

    def last_port(self, name: str) -> int:
        """The port that the run which holds the folder gave to `name`; 0 where it has not come that far."""
        try:
            ports: dict[str, int] = json.loads((self.path / "ports.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return 0
        return ports.get(name, 0)

    def _hold(self, descriptor: int) -> None:
        deadline = time.monotonic() + timings.LOCAL_STOP_BUDGET
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = os.pread(descriptor, 20, 0).decode().strip()
                if holder.isdigit() and running(int(holder)):
                    raise RunningAlready(f"This clone is running already (process {holder}): stop it first.") from None
            # The last run was killed, and its guard is still ending what it left.
            if time.monotonic() > deadline:
                raise CannotStart(f"{self.path} is still held by what an earlier run left behind.")
            time.sleep(timings.LOCAL_POLL)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)

    @property
    def lock(self) -> int:
        """The descriptor that holds the folder; a process that inherits it holds it too. -1 before `take`."""
        return -1 if self._lock is None else self._lock


def write_private(file: Path, text: str) -> None:
    """Writes a file that only its owner may read, whole or not at all."""
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    new.replace(file)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now. Raises OSError where the host itself is wrong."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def loopback() -> str:
    """This machine's own address: 127.0.0.1, but ::1 where there is no IPv4. Raises CannotStart where neither is."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            probe.bind((host, 0))
            return host
    raise CannotStart("This machine has no loopback address, neither 127.0.0.1 nor ::1.")


def free_port() -> int:
    """A port of the loopback address that is free at this moment."""
    host = loopback()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _read_ports(file: Path) -> dict[str, int]:
    """Those of the last run; none where there was none, or where the file is not what a run leaves."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: port for name, port in kept.items() if isinstance(port, int)} if isinstance(kept, dict) else {}
