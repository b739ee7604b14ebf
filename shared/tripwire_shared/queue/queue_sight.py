"""How a process sees the queue: the API through its breaker, the sweep, which uses no queue, by asking now and then."""

from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.timings import WATCH_MISSES


class BreakerSight:
    def __init__(self, breaker: Breaker, ping: Callable[[], None]) -> None:
        self._breaker, self._ping = breaker, ping

    def trouble(self) -> str | None:
        """Why the queue failed this process; None where it has not."""
        return self._breaker.trouble

    def answers(self) -> bool:
        """Whether it is seen to work, and not only unheard of."""
        try:
            self._breaker.call(self._ping)
        except QueueUnavailable:
            return False
        return True


class PingSight:
    """One failed ping is a restart or a busy moment; several in a row are trouble, although no request met it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._misses = 0

    def trouble(self) -> str | None:
        try:
            self._redis.ping()
        except RedisError as error:
            self._misses += 1
            return type(error).__name__ if self._misses >= WATCH_MISSES else None
        self._misses = 0
        return None

    def answers(self) -> bool:
        return self._misses == 0
