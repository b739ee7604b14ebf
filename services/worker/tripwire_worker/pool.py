"""The pool: WORKER_CONCURRENCY RQ workers, each one process that runs one job at a time.

RQ is trusted with one thing: handing an id to a free process. Its retry, scheduler and recovery are not used (they take
ten minutes and more by default); `due_at` in PostgreSQL drives all of that.
"""

import os
import signal
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

from tripwire_shared.core import Core
from tripwire_shared.logs import configure_logging, get_logger
from tripwire_shared.queue.request_queue import QUEUE_NAME
from tripwire_shared.settings import Settings, load_settings
from tripwire_shared.timings import WORKER_RECONNECT_WAIT, WORKER_TTL
from tripwire_worker.meter import AttemptMeter
from tripwire_worker.process_ties import end_with_parent
from tripwire_worker.pulse import Pulse
from tripwire_worker.redis_wait import wait_for_redis
from tripwire_worker.worker_parts import build_worker

REQUIRED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_core: Core | None = None
_meter: AttemptMeter | None = None


def worker_core() -> Core:
    """What the jobs of this process work with; RQ gives a job no other way to it."""
    if _core is None:
        raise RuntimeError("not inside a worker process of the pool")
    return _core


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
    """RQ's pool, but without its scheduler, with everything built in the child after fork, and with a pulse."""

    def __init__(self, settings: Settings, pulse: Pulse) -> None:
        super().__init__(
            [QUEUE_NAME],
            connection=Redis.from_url(settings.queue_url),
            num_workers=settings.worker_concurrency,
            worker_class=RequestWorker,
            serializer=JSONSerializer,
        )
        self._settings, self._pulse = settings, pulse

    def check_workers(self, respawn: bool = True) -> None:
        self._pulse.beat()
        super().check_workers(respawn)

    def start_worker(self, *arguments: Any, **named: Any) -> None:
        # Held back meanwhile, a stop neither misses the new worker (RQ does not have it in its list before the end)
        # nor is taken by the pool's handlers, which the fork hands on and which would only tell its siblings. And once
        # it came none is started: RQ goes on with those that it was about to start, and would never tell them.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            if self.status is not self.Status.STOPPED:
                super().start_worker(*arguments, **named)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def get_worker_process(self, name: str, burst: bool, _sleep: float = 0, logging_level: str = "INFO") -> BaseProcess:
        return get_context("fork").Process(target=_run_worker, args=(self._settings, name, os.getpid()), name=name)


def _run_worker(settings: Settings, name: str, parent: int) -> None:
    global _core, _meter  # RQ calls jobs by name: a module is the only way to them
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)  # until RQ sets its own: nothing is under way yet
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    end_with_parent(parent, signal.SIGTERM)
    # Its own client: RQ stretches the time-outs of the one that it is given.
    redis = Redis.from_url(settings.queue_url)
    wait_for_redis(settings.queue_url)
    _core, _meter = build_worker(settings), AttemptMeter()
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
        _core.database.close()


def main(pulse: Pulse) -> None:
    settings = load_settings(REQUIRED)
    configure_logging("worker", settings.log_level, settings.log_format)
    RequestPool(settings, pulse).start(logging_level="WARNING")
