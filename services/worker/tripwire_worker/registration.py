"""This worker as RQ and rq-dashboard see it: its entry among the workers, and the jobs that it has at hand."""

import time
from collections.abc import Collection, Sequence
from uuid import uuid4

from redis import Redis
from rq import Queue, SimpleWorker, worker_registration
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import WorkerStatus

from tripwire_shared.queue.request_queue import COMPLETED_KEY, QUEUE_NAME
from tripwire_shared.timings import JOB_FAILURE_TTL, JOB_KEPT_STARTED, WORKER_HEARTBEAT, WORKER_TTL


class _Entry(SimpleWorker):
    """RQ's worker, for the form of its entry alone. RQ would stretch the time-outs of the client that it is given."""

    def _set_connection(self, connection: Redis) -> Redis:
        return connection


class Registration:
    """Raises RedisError. Safe for threads, but for `keep_up`, which is the main loop's."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis, self._execution = redis, uuid4().hex
        self._queue = Queue(QUEUE_NAME, connection=redis, serializer=JSONSerializer)
        self._worker = _Entry([self._queue], name=name, connection=redis, serializer=JSONSerializer)
        self._worker.birth_date = now()
        self._started = StartedJobRegistry(queue=self._queue)
        self._failed = FailedJobRegistry(queue=self._queue)
        self._kept_up_at = float("-inf")

    @property
    def queue_key(self) -> str:
        return str(self._queue.key)

    def keep_up(self) -> None:
        """Its sign of life, now and then. The whole entry is written anew: Redis may have been emptied meanwhile. What
        a killed process left among the started jobs is removed; its requests are the sweep's."""
        if time.monotonic() - self._kept_up_at < WORKER_HEARTBEAT:
            return
        self._worker.last_heartbeat = now()
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hset(self._worker.key, mapping={**self._worker.serialize(), "state": WorkerStatus.IDLE.value})
            worker_registration.register(self._worker, pipeline)
            pipeline.expire(self._worker.key, WORKER_TTL + 60)
            pipeline.zrangebyscore(self._started.key, 0, time.time())
            abandoned: list[bytes] = pipeline.execute()[-1]
        if abandoned:
            self._forget(abandoned)
        self._kept_up_at = time.monotonic()

    def end(self) -> None:
        self._worker.register_death()  # type: ignore[no-untyped-call]

    def started(self, job_ids: Sequence[str]) -> None:
        until = time.time() + JOB_KEPT_STARTED
        self._redis.zadd(self._started.key, {self._member(job_id): until for job_id in job_ids})

    def ended(self, job_ids: Sequence[str], *, failed: Collection[str], completed: int) -> None:
        """They leave Redis, but for those that failed for good: rq-dashboard shows them for a day."""
        kept = [job for job_id in failed if (job := self._fetch(job_id)) is not None]
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zrem(self._started.key, *map(self._member, job_ids))
            if gone := [Job.key_for(job_id) for job_id in job_ids if job_id not in failed]:
                pipeline.delete(*gone)
            for job in kept:
                job.set_status(JobStatus.FAILED, pipeline=pipeline)
                self._failed.add(job, JOB_FAILURE_TTL, "The request failed: see its timeline.", pipeline)
            if completed:
                pipeline.incrby(COMPLETED_KEY, completed)
                pipeline.hincrby(self._worker.key, "successful_job_count", completed)
            pipeline.execute()

    def _member(self, job_id: str) -> str:
        return f"{job_id}:{self._execution}"

    def _forget(self, members: list[bytes]) -> None:
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zrem(self._started.key, *members)
            pipeline.delete(*(Job.key_for(member.decode().partition(":")[0]) for member in members))
            pipeline.execute()

    def _fetch(self, job_id: str) -> Job | None:
        try:
            return Job.fetch(job_id, connection=self._redis, serializer=JSONSerializer)
        except NoSuchJobError:
            return None
