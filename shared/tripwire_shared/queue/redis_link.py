"""The fail-fast Redis client of request paths: refused or frozen, it gives up within one time-out."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from tripwire_shared.timings import REDIS_TIMEOUT


def build_fail_fast_redis(url: str, max_connections: int, timeout: float = REDIS_TIMEOUT) -> Redis:
    """A client that waits at most `timeout` for a connection or an answer.

    One retry, and only for a broken connection: a stale pooled one is replaced, a time-out is never waited for twice
    (redis-py's defaults take 4 s on a closed port and 58 s on a frozen server).
    """
    return Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        max_connections=max_connections,
    )
