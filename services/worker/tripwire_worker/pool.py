"""The pool: WORKER_CONCURRENCY RQ workers, each one process that runs one job at a time.

RQ is trusted with one thing: handing an id to a free process. Its retry, scheduler and recovery are not used (they take
ten minutes and more by default); `due_at` in PostgreSQL drives all of that.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from rq.worker_pool import WorkerPool

from tripwire_shared.logs import configure_logging, get_logger
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.queue.request_queue import QUEUE_NAME
from tripwire_shared.resources import Resources, build_resources
from tripwire_shared.settings import Settings, load_settings
from tripwire_shared.timings import WATCH_REDIS_TIMEOUT, WORKER_RECONNECT_WAIT, WORKER_REDIS_POLL, WORKER_TTL
from tripwire_worker.meter import AttemptMeter
from tripwire_worker.process_ties import end_with_parent

REQUIRED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")

_resources: Resources | None = None
_meter: AttemptMeter | None = None


def worker_resources() -> Resources:
    """What the jobs of this process work with; RQ gives a job no other way to it."""
    if _resources is None:
        raise RuntimeError("not inside a worker process of the pool")
    return _resources


def attempt_meter() -> AttemptMeter:
    if _meter is None:
        raise RuntimeError("not inside a worker process of the pool")
    return _meter


class RequestWorker(SimpleWorker):
    """One queue only: with more, RQ would take a job without a safety copy. Back within a second of Redis' return."""

    max_connection_wait_time = WORKER_RECONNECT_WAIT

    def __init__(self, queues: Iterable[Queue], **arguments: Any) -> None:
        super().__init__(list(queues), worker_ttl=WORKER_TTL, **arguments)

    def _pubsub_exception_handler(self, exc: Exception, pubsub: Any, pubsub_thread: Any) -> None:
        """RQ's own ends the thread, with a stack trace, where Redis is frozen; the next look connects anew."""
        if not isinstance(exc, RedisError):
            raise exc
        time.sleep(WORKER_RECONNECT_WAIT)


class RequestPool(WorkerPool):
    """RQ's pool, but without its scheduler, and with everything built in the child after fork."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            [QUEUE_NAME],
            connection=Redis.from_url(settings.queue_url),
            num_workers=settings.worker_concurrency,
            worker_class=RequestWorker,
            serializer=JSONSerializer,
        )
        self._settings = settings

    def get_worker_process(self, name: str, burst: bool, _sleep: float = 0, logging_level: str = "INFO") -> BaseProcess:
        return get_context("fork").Process(target=_run_worker, args=(self._settings, name, os.getpid()), name=name)


def _run_worker(settings: Settings, name: str, parent: int) -> None:
    global _resources, _meter  # RQ calls jobs by name: a module is the only way to them
    # Until RQ sets its own: the pool's handlers, which fork handed down, would stop the siblings.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    end_with_parent(parent, signal.SIGTERM)
    _wait_for_redis(settings.queue_url)
    # Its own client: RQ stretches the time-outs of the one that it is given.
    redis = Redis.from_url(settings.queue_url)
    _resources, _meter = build_resources(settings, service="worker"), AttemptMeter()
    worker = RequestWorker(
        [Queue(QUEUE_NAME, connection=redis, serializer=JSONSerializer)],
        name=name,
        connection=redis,
        serializer=JSONSerializer,
    )
    try:
        worker.work(logging_level="WARNING", with_scheduler=False)
    except RedisError as error:  # it ended because of Redis, and could not even say goodbye to it
        get_logger(__name__).warning("a worker lost Redis and is replaced", error=type(error).__name__)
    finally:
        _resources.stop()


def _wait_for_redis(url: str) -> None:
    """RQ's worker ends where Redis fails it outside its waiting loop, and cannot begin without Redis at all. Its
    successor waits here, so that an outage costs neither processes nor database connections, however long it lasts."""
    said = False
    with contextlib.closing(build_fail_fast_redis(url, max_connections=1, timeout=WATCH_REDIS_TIMEOUT)) as redis:
        while True:
            try:
                redis.ping()
                return
            except RedisError as error:
                if not said:
                    get_logger(__name__).warning("a worker waits for Redis", error=type(error).__name__)
                said = True
            time.sleep(WORKER_REDIS_POLL)


def main() -> None:
    settings = load_settings(REQUIRED)
    configure_logging("worker", settings.log_level, settings.log_format)
    RequestPool(settings).start(logging_level="WARNING")
