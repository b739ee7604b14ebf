"""An embedded Valkey, the Redis-compatible server: started, stopped, frozen."""

import contextlib
import os
import signal
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from deploy.local.binaries import find_valkey
from deploy.local.child import Child, WriteLine, end_process, works_in
from deploy.local.data_folder import loopback, write_private
from deploy.local.errors import CannotStart
from tripwire_shared import timings
from tripwire_shared.settings import host_and_port

_CONFIGURATION = """\
bind {host}
port {port}
loglevel warning
dir .
requirepass {password}
databases 1024
appendonly {appendonly}
appendfsync everysec
save ""
"""


class ValkeyServer:
    """A server on this machine's own address with its data under `folder`; `durable=False` (tests) keeps nothing on
    disk."""

    def __init__(self, folder: Path, port: int, *, password: str, write_line: WriteLine, durable: bool = True) -> None:
        self.port = port
        self._folder = folder.absolute()
        self._password = password
        self._host = loopback()
        self._configuration = _CONFIGURATION.format(
            host=self._host, port=port, password=password, appendonly="yes" if durable else "no"
        )
        self.child = Child(
            "valkey",
            [find_valkey(), self._folder / "valkey.conf"],  # a file: the password must not stand in the process list
            environ={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            folder=self._folder,
            write_line=write_line,
            stop_limit=timings.LOCAL_STOP_VALKEY,
            unsaid=("Memory overcommit must be enabled",),  # a matter of large servers, which begins with WARNING
        )

    @property
    def url(self) -> str:
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        return f"redis://:{self._password}@{host_and_port(self._host, self.port)}/{database}"

    def start(self) -> None:
        """Starts the server and waits until it answers. Raises CannotStart where it does not."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear_leftover()
        write_private(self._folder / "valkey.conf", self._configuration)
        self.child.start()
        write_private(self._folder / "valkey.pid", str(self.child.pid))
        self.wait_ready()

    def wait_ready(self) -> None:
        """Waits until the server has read its data and answers. Raises CannotStart as `start` does."""
        client = Redis.from_url(self.url, socket_timeout=1, socket_connect_timeout=1, retry=None)
        deadline = time.monotonic() + timings.LOCAL_START_LIMIT
        with contextlib.closing(client):
            while True:
                try:
                    client.ping()
                    return
                except RedisError as error:
                    reason = str(error)
                if not self.child.alive:
                    raise CannotStart("Valkey ended while it started; its last lines say why.")
                if time.monotonic() > deadline:
                    raise CannotStart(f"Valkey does not answer: {reason}")
                time.sleep(0.02)

    def stop(self) -> None:
        self.child.stop()

    def freeze(self) -> None:
        """Stops it from answering, as a hung host would; its connections stay open."""
        self.child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.child.signal(signal.SIGCONT)

    def _clear_leftover(self) -> None:
        """Ends a server of ours that outlived its supervisor."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self._folder / "valkey.pid").read_text(encoding="utf-8"))
            if works_in(pid, self._folder):
                end_process(pid, signal.SIGTERM, timings.LOCAL_STOP_VALKEY)
