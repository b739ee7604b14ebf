"""A worker process waits for Redis before anything else: RQ's worker cannot begin without it.

RQ's worker also ends where Redis fails it outside its waiting loop. Its successor waits here, so that an outage costs
neither stack traces, processes nor database connections, however long it lasts.
"""

import contextlib
import time

from redis.exceptions import RedisError

from tripwire_shared.logs import get_logger
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.timings import WATCH_REDIS_TIMEOUT, WORKER_REDIS_POLL


def wait_for_redis(url: str) -> None:
    """Returns once Redis answers, and says once that it does not."""
    said = False
    with contextlib.closing(build_fail_fast_redis(url, max_connections=1, timeout=WATCH_REDIS_TIMEOUT)) as redis:
        while True:
            try:
                redis.ping()
                return
            except RedisError as error:
                if not said:
                    get_logger(__name__).warning("a worker process waits for Redis", error=type(error).__name__)
                said = True
            time.sleep(WORKER_REDIS_POLL)
