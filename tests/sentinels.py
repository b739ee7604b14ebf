"""A master, its replica, and three Sentinels that elect another when it is gone: real servers, with passwords."""

import contextlib
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from deploy.local.binaries import find_valkey
from deploy.local.child import Child
from deploy.local.data_folder import free_port
from tests.waiting import wait_until

MASTER = "tripwire"
PASSWORD, SENTINEL_PASSWORD = "p@ss/of-tests", "sentinel, of tests"
QUOTED, SENTINEL_QUOTED = "p%40ss%2Fof-tests", "sentinel%2C+of+tests"
DOWN_AFTER_MS = 500
_SERVER = f"""\
bind 127.0.0.1
loglevel warning
dir .
save ""
databases 16
repl-diskless-sync-delay 0
requirepass "{PASSWORD}"
primaryauth "{PASSWORD}"
"""
_SENTINEL = f"""\
bind 127.0.0.1
dir .
requirepass "{SENTINEL_PASSWORD}"
sentinel sentinel-pass "{SENTINEL_PASSWORD}"
sentinel monitor {MASTER} 127.0.0.1 {{master}} 2
sentinel auth-pass {MASTER} "{PASSWORD}"
sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}
sentinel failover-timeout {MASTER} 6000
"""


class Server(Child):
    """One of them: `freeze` and `thaw` with its signals, `kill` as kill -9."""

    def __init__(self, folder: Path, configuration: str, *, sentinel: bool = False) -> None:
        self.port = free_port()
        place = folder / str(self.port)
        place.mkdir(parents=True)
        (place / "valkey.conf").write_text(f"port {self.port}\n{configuration}", encoding="utf-8")
        command = [find_valkey(), place / "valkey.conf", *(["--sentinel"] if sentinel else [])]
        environ = {"LC_ALL": "C"}
        super().__init__("valkey", command, environ=environ, folder=place, write_line=lambda _: None, stop_limit=1)
        self._password = SENTINEL_PASSWORD if sentinel else PASSWORD

    @property
    def place(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def client(self) -> Redis:
        return Redis(port=self.port, password=self._password, socket_timeout=1, retry=None)

    @property
    def role(self) -> str:
        """What it says it is; empty where it does not answer."""
        try:
            with contextlib.closing(self.client()) as client:
                return str(client.execute_command("ROLE")[0].decode())
        except RedisError:
            return ""


class Sentinels:
    """`url` is what REDIS_URL says; `master` and `replica` are so named by what they are at the beginning."""

    def __init__(self, folder: Path) -> None:
        self.master = Server(folder, _SERVER)
        self.replica = Server(folder, f"{_SERVER}replicaof 127.0.0.1 {self.master.port}\n")
        self.sentinels = [Server(folder, _SENTINEL.format(master=self.master.port), sentinel=True) for _ in range(3)]
        self._folder = folder

    @property
    def url(self) -> str:
        return self.url_of(*(sentinel.port for sentinel in self.sentinels))

    def url_of(self, *ports: int) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        return f"redis+sentinel://:{QUOTED}@{hosts}/{MASTER}/3?sentinel_password={SENTINEL_QUOTED}"

    def start(self) -> None:
        """Waits until all know each other: an election needs that."""
        for server in (self.master, self.replica, *self.sentinels):
            server.start()
        wait_until(lambda: self.replica.role == "slave" and self._synced(), 10, what="the replica has it all")
        wait_until(lambda: all(map(self._knows_all, self.sentinels)), 15, what="the Sentinels know each other")

    def stop(self) -> None:
        for server in (*self.sentinels, self.replica, self.master):
            server.kill()

    def wait_for_promotion(self) -> float:
        """When the replica became the master, by time.monotonic()."""
        wait_until(lambda: self.replica.role == "master", 20, step=0.005, what="a new master")
        return time.monotonic()

    def _synced(self) -> bool:
        with contextlib.closing(self.replica.client()) as client:
            return client.info("replication")["master_link_status"] == "up"

    @staticmethod
    def _knows_all(sentinel: Server) -> bool:
        try:
            with contextlib.closing(sentinel.client()) as client:
                known = client.sentinel_master(MASTER)
        except RedisError:
            return False
        return (known["num-slaves"], known["num-other-sentinels"]) == (1, 2)
