"""The queue: takes ids of requests to RQ, and counts what is in it. Nothing but ids is ever written to Redis."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from redis import Connection, Redis
from redis.exceptions import RedisError, ResponseError
from rq import Queue, worker_registration
from rq.registry import FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.queue.job_form import JobForm
from tripwire_shared.timings import WORKER_KEPT_ALIVE

QUEUE_NAME = "requests"
# How many jobs the worker service finished since Redis began: RQ itself keeps none of the finished ones (result_ttl=0).
COMPLETED_KEY = "tripwire:completed"


@dataclass(frozen=True)
class QueueCounts:
    waiting: int
    active: int
    scheduled: int
    completed: int
    failed: int
    workers: int


class RequestQueue:
    """RQ's queue with one job per request, whose id is the request's id. Safe for threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue = Queue(QUEUE_NAME, connection=redis, serializer=JSONSerializer)
        self._form = JobForm(self._queue)

    def push(self, request_ids: Sequence[UUID]) -> None:
        """Puts the ids on the queue, all or none, in one round trip. Raises QueueUnavailable; it may be applied all the
        same."""
        try:
            message, replies = self._form.message(request_ids), self._form.replies(len(request_ids))
            pool = self._redis.connection_pool
            connection = pool.get_connection()
            try:
                # As redis-py's own pipeline does it: a broken connection is replaced once.
                connection.retry.call_with_retry(
                    lambda: _exchange(connection, message, replies),
                    lambda _: connection.disconnect(),  # type: ignore[no-untyped-call]
                )
            finally:
                pool.release(connection)
        except Exception as error:
            # Whatever kept it from being queued: the requests are stored, and their callers are served another way.
            raise QueueUnavailable(type(error).__name__) from error

    def ping(self) -> None:
        """Raises QueueUnavailable where Redis does not answer or takes no writes (a replica, a full memory)."""
        try:
            self._redis.set("tripwire:probe", "1", ex=60)
        except RedisError as error:
            raise QueueUnavailable(type(error).__name__) from error

    def counts(self) -> QueueCounts:
        """What is in the queue now. Raises QueueUnavailable; never a zero that was not counted."""
        registries = [
            registry(queue=self._queue).key
            for registry in (StartedJobRegistry, ScheduledJobRegistry, FailedJobRegistry)
        ]
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.llen(self._queue.key)
                for key in registries:
                    pipeline.zcard(key)
                pipeline.get(COMPLETED_KEY)
                waiting, active, scheduled, failed, completed = pipeline.execute()
            workers = self._count_workers()
        except RedisError as error:
            raise QueueUnavailable(type(error).__name__) from error
        return QueueCounts(waiting, active, scheduled, int(completed or 0), failed, workers)

    def _count_workers(self) -> int:
        """Those that were heard of lately: RQ keeps the names of killed ones for minutes. Each sign of life sets the
        time for which Redis keeps a worker's key, so that no two hosts' clocks are compared."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for key in worker_registration.get_keys(queue=self._queue):
                pipeline.ttl(key)
            return sum(kept >= WORKER_KEPT_ALIVE for kept in pipeline.execute())


def _exchange(connection: Connection, message: bytes, replies: int) -> None:
    """Sends it and reads all that is answered, so that the connection may be used again. Raises RedisError."""
    connection.send_packed_command([message])  # type: ignore[no-untyped-call]
    refusals: list[ResponseError] = []
    for _ in range(replies):
        try:
            reply = connection.read_response()
        except ResponseError as error:
            refusals.append(error)
        else:
            # That to EXEC holds those to each command.
            refusals += [part for part in reply if isinstance(part, ResponseError)] if isinstance(reply, list) else []
    if refusals:
        raise refusals[0]
