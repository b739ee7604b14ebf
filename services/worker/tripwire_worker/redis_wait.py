"""Waits for Redis at the start of a worker process; RQ's constructor would end in a stack trace, again and again."""

import signal
import time

from redis.exceptions import RedisError

from tripwire_shared.logs import get_logger
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.timings import WORKER_RECONNECT_WAIT


def wait_for_redis(url: str) -> None:
    """Returns once Redis answers. A signal ends the process meanwhile: there is no job yet that it could harm."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    redis, said = build_fail_fast_redis(url, 1), False
    while True:
        try:
            redis.ping()
            break
        except RedisError as error:
            if not said:
                get_logger(__name__).warning("this worker process waits for Redis", error=type(error).__name__)
            said = True
        time.sleep(WORKER_RECONNECT_WAIT)
    redis.close()
