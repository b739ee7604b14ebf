"""The fail-fast Redis client of request paths: refused or frozen, it gives up within one time-out."""

import socket
from typing import Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from tripwire_shared.host_addresses import is_name
from tripwire_shared.name_lookups import NameLookups
from tripwire_shared.timings import REDIS_TIMEOUT


class _FoundConnection(Connection):
    """Has its server's name looked up within the time-out for connecting, of which redis-py's own knows nothing.
    A look-up that takes too long is a time-out like others, and so is not tried again."""

    def __init__(self, *arguments: Any, lookups: NameLookups, **more: Any) -> None:
        super().__init__(*arguments, **more)  # type: ignore[no-untyped-call]
        self._lookups = lookups

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


class _FoundSSLConnection(SSLConnection, _FoundConnection):
    """The same within TLS: its `_connect` calls the one above for the bare connection."""


_FOUND = {Connection: _FoundConnection, SSLConnection: _FoundSSLConnection}


def build_fail_fast_redis(url: str, max_connections: int, timeout: float = REDIS_TIMEOUT) -> Redis:
    """A client that waits at most `timeout` for a name, a connection or an answer.

    One retry, and only for a broken connection: a stale pooled one is replaced, a time-out is never waited for twice
    (redis-py's defaults take 4 s on a closed port and 58 s on a frozen server).
    """
    client = Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        max_connections=max_connections,
    )
    pool: ConnectionPool = client.connection_pool
    if pool.connection_class in _FOUND:  # not for a socket's path
        pool.connection_class = _FOUND[pool.connection_class]
        pool.connection_kwargs["lookups"] = NameLookups()
    return client
