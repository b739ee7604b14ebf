"""The one place that makes clients of Redis, from REDIS_URL: fail-fast ones. Refused or frozen, a server costs one
time-out, and so does each Sentinel that is silent while the master is looked for."""

import socket
from collections.abc import Callable
from ssl import SSLCertVerificationError
from typing import Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, ReadOnlyError
from redis.retry import Retry

from tripwire_shared.network.host_addresses import is_name
from tripwire_shared.network.name_lookups import NameLookups
from tripwire_shared.queue.redis_master import Master, NoMaster
from tripwire_shared.redis_address import Place, RedisAddress, read_redis_address
from tripwire_shared.timings import REDIS_TIMEOUT


class ReadOnlyServer(RedisConnectionError):
    """A replica, which was the master when it was connected to. As a broken connection it is replaced once."""


class CertificateRefused(RedisConnectionError):
    """The server's certificate is not one of ours: who reads only the name of an error reads why."""


class _FoundConnection(Connection):
    """Has its server's name looked up within the time-out for connecting, of which redis-py's own knows nothing.
    A look-up that takes too long is a time-out like others, and so is not tried again."""

    def __init__(
        self, *arguments: Any, lookups: NameLookups, on_read_only: Callable[[], None] | None = None, **more: Any
    ) -> None:
        super().__init__(*arguments, **more)  # type: ignore[no-untyped-call]
        self._lookups, self._on_read_only = lookups, on_read_only

    def _connect(self) -> socket.socket:
        name = self.host
        if not is_name(name):
            return self._connect_to(name)
        failed: OSError = OSError("The name has no address.")
        for address in self._lookups.addresses(name, self.socket_connect_timeout or REDIS_TIMEOUT):
            try:
                return self._connect_to(address)
            except OSError as error:
                failed = error
        raise failed

    def _connect_to(self, address: str) -> socket.socket:
        """The name stands again afterwards: certificates are checked against it."""
        name, self.host = self.host, address
        try:
            return cast("socket.socket", super()._connect())  # type: ignore[no-untyped-call]
        finally:
            self.host = name

    def read_response(self, *arguments: Any, **more: Any) -> Any:
        """Who was demoted keeps its connections, and would refuse each write for as long as they live."""
        try:
            return super().read_response(*arguments, **more)
        except ReadOnlyError as error:
            self.disconnect()  # type: ignore[no-untyped-call]
            if self._on_read_only is not None:
                self._on_read_only()
            raise ReadOnlyServer(str(error)) from error


class _FoundSSLConnection(SSLConnection, _FoundConnection):
    """The same within TLS: its `_connect` calls the one above for the bare connection."""

    def _connect(self) -> socket.socket:
        try:
            return cast("socket.socket", super()._connect())  # type: ignore[no-untyped-call]
        except SSLCertVerificationError as error:
            raise CertificateRefused(f"The server's certificate is refused: {error.verify_message}") from error


class _MasterConnection(_FoundConnection):
    """Connects to whatever the Sentinels name as the master at that moment, and makes sure that it is one."""

    def __init__(self, *arguments: Any, master: Master, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._master = master

    @property
    def place(self) -> Place:
        return (self.host, self.port)

    def connect(self) -> None:
        """Not tried again by itself, as redis-py would: that would ask all Sentinels twice."""
        self.connect_check_health()

    def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        if not self.is_connected:
            self._master.find(lambda place: self._connect_to_place(place, check_health))

    def _connect_to_place(self, place: Place, check_health: bool) -> None:
        self.host, self.port = place
        super().connect_check_health(check_health, retry_socket_connect=False)
        try:
            self.send_command("ROLE", check_health=False)  # type: ignore[no-untyped-call]
            role = self.read_response()[0]
        except NoPermissionError:
            return  # a user with few rights: then the first write tells
        except BaseException:
            self.disconnect()  # type: ignore[no-untyped-call]
            raise
        if role not in (b"master", "master"):
            self.disconnect()  # type: ignore[no-untyped-call]
            raise NoMaster("The Sentinels name a server that is no master.")


class _MasterSSLConnection(_FoundSSLConnection, _MasterConnection):
    pass


class _MasterPool(ConnectionPool):
    """Keeps connections to the latest master alone: those to the one before are dropped when a new one is found, or
    when they are given back. A frozen one would cost a time-out each, and one that comes back takes writes in vain."""

    def __init__(self, master: Master, **more: Any) -> None:
        self._master = master
        super().__init__(master=master, **more)
        master.on_change = lambda: self.disconnect(inuse_connections=False)

    def owns_connection(self, connection: Any) -> int:
        return super().owns_connection(connection) and connection.place == self._master.place


def build_fail_fast_redis(url: str, max_connections: int, timeout: float = REDIS_TIMEOUT) -> Redis:
    """A client that waits at most `timeout` for a name, a connection or an answer.

    One retry, and only for a broken connection: a stale pooled one is replaced, a time-out is never waited for twice
    (redis-py's defaults take 4 s on a closed port and 58 s on a frozen server).
    """
    address, lookups = read_redis_address(url), NameLookups()
    for_server: dict[str, Any] = {
        **_limits(timeout),
        "max_connections": max_connections,
        "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        "lookups": lookups,
        "db": address.database,
        "username": address.username,
        "password": address.password,
        **(address.tls or {}),
    }
    if address.master:
        pool: ConnectionPool = _MasterPool(
            _master(address, lookups, timeout),
            connection_class=_MasterConnection if address.tls is None else _MasterSSLConnection,
            **for_server,
        )
    else:
        [(host, port)] = address.places
        found = _FoundConnection if address.tls is None else _FoundSSLConnection
        pool = ConnectionPool(connection_class=found, host=host, port=port, **for_server)
    pool.connection_kwargs["on_read_only"] = lambda: pool.disconnect(inuse_connections=False)
    return Redis.from_pool(pool)


def _master(address: RedisAddress, lookups: NameLookups, timeout: float) -> Master:
    """Sentinels are asked by connections that live for one question: no idle one can be stale."""
    found = _FoundConnection if address.tls is None else _FoundSSLConnection
    # A Sentinel does next to nothing: who is more patient with Redis need not be with it.
    arguments: dict[str, Any] = {
        **_limits(min(timeout, REDIS_TIMEOUT)),
        "lookups": lookups,
        "username": address.sentinel_username,
        "password": address.sentinel_password,
        "protocol": 2,  # nothing to agree on first: one round trip less
        "driver_info": None,
        **(address.tls or {}),
    }
    return Master(address.master, address.places, lambda place: found(host=place[0], port=place[1], **arguments))


def _limits(timeout: float) -> dict[str, float]:
    return {"socket_timeout": timeout, "socket_connect_timeout": timeout}
