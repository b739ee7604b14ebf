"""A job as RQ itself would write it, as bytes for Redis, without the 0.1 ms that RQ takes for each.

The form is RQ's own: one job is made by RQ when the process starts, and all others differ from it in two places only,
the id and the moment. A test compares ours with RQ's, key by key.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from rq import Queue
from rq.job import JobStatus
from rq.utils import utcformat

from tripwire_shared.timings import JOB_FAILURE_TTL, JOB_TIMEOUT

# What rq-dashboard shows. No function: our worker reads a job's id and nothing else.
JOB_FUNCTION = "tripwire.provision_customer"
# RQ's default description is the call with its arguments.
DESCRIPTION = "provision customer"
# They stand where a job's own id and moment go; both are as long as any other, so that every length in the bytes holds.
_SOME_ID = str(UUID(int=0))
_SOME_MOMENT = datetime(1111, 1, 1, tzinfo=UTC)


class JobForm:
    """Builds what is sent to Redis for one or more requests. It speaks to nobody."""

    def __init__(self, queue: Queue) -> None:
        self._queue_key = str(queue.key)
        job = queue.create_job(
            JOB_FUNCTION,
            args=(_SOME_ID,),
            job_id=_SOME_ID,
            description=DESCRIPTION,
            timeout=JOB_TIMEOUT,
            result_ttl=0,
            failure_ttl=JOB_FAILURE_TTL,
            status=JobStatus.QUEUED,
        )
        job.created_at = job.enqueued_at = _SOME_MOMENT
        # RQ writes `data` compressed and reads it either way.
        fields = {**job.to_dict(), "data": job.data}
        self._job = _packed("HSET", job.key, *(part for field in fields.items() for part in field))
        self._begin = _packed("MULTI") + _packed("SADD", queue.redis_queues_keys, self._queue_key)
        self._end = _packed("EXEC")
        self._some_id, self._some_moment = _SOME_ID.encode(), utcformat(_SOME_MOMENT).encode()

    def message(self, ids: Sequence[UUID]) -> bytes:
        """One transaction: the hash of each job, then all ids onto the queue. `replies(len(ids))` replies answer it."""
        moment = utcformat(datetime.now(UTC)).encode()
        form = self._job.replace(self._some_moment, moment)
        names = [str(request_id).encode() for request_id in ids]
        jobs = [form.replace(self._some_id, name) for name in names]
        return b"".join((self._begin, *jobs, _packed("RPUSH", self._queue_key, *names), self._end))

    @staticmethod
    def replies(jobs: int) -> int:
        """To MULTI, SADD, each HSET and RPUSH; the last one, to EXEC, says whether all of it was done."""
        return jobs + 4


def _packed(*words: object) -> bytes:
    """A command as Redis reads it."""
    encoded = [word if isinstance(word, bytes) else _text(word).encode() for word in words]
    return b"".join((b"*%d\r\n" % len(encoded), *(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)))


def _text(word: object) -> str:
    # RQ's JobStatus is a str, whose str() would be another word.
    return word if isinstance(word, str) else str(word)
