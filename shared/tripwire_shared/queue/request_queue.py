"""The queue: takes ids of requests to RQ, and counts what is in it. Nothing but ids is ever written to Redis."""

from dataclasses import dataclass
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, worker_registration
from rq.registry import FailedJobRegistry, ScheduledJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.timings import JOB_FAILURE_TTL, JOB_TIMEOUT, WORKER_KEPT_ALIVE

QUEUE_NAME = "requests"
# What rq-dashboard shows. No function: our worker reads a job's id and nothing else.
JOB_FUNCTION = "tripwire.provision_customer"
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
    """RQ's queue with one job per request, whose id is the request's id. Build it once per process (it asks INFO)."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue = Queue(QUEUE_NAME, connection=redis, serializer=JSONSerializer)

    def enqueue(self, request_id: UUID) -> None:
        """Puts the id on the queue in one pipeline. Raises QueueUnavailable; it may be applied all the same."""
        try:
            with self._redis.pipeline() as pipeline:
                self._queue.enqueue_call(
                    JOB_FUNCTION,
                    args=(str(request_id),),
                    job_id=str(request_id),
                    # RQ's default description is the call with its arguments.
                    description="provision customer",
                    timeout=JOB_TIMEOUT,
                    result_ttl=0,
                    failure_ttl=JOB_FAILURE_TTL,
                    pipeline=pipeline,
                )
                pipeline.execute()
        except Exception as error:
            # Whatever kept it from being queued: the request is stored, and its caller is served another way.
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
