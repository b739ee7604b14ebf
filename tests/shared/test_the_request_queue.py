"""The queue on real Redis: ids only, no outage where only a pooled connection was stale, quick where it is away."""

import json
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now

from deploy.local.valkey import ValkeyServer
from tests.resources import Resources
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.queue.job_form import JOB_FUNCTION
from tripwire_shared.timings import JOB_FAILURE_TTL, JOB_TIMEOUT, REDIS_TIMEOUT

SLACK = 0.5


def test_a_job_is_an_id(resources_for: Callable[..., Resources], redis_url: str) -> None:
    queue, request_id = resources_for("api").request_queue, uuid4()
    queue.push([request_id])
    assert (queue.counts().waiting, queue.counts().workers) == (1, 0)
    with Redis.from_url(redis_url) as redis:
        [key] = redis.lrange("rq:queue:requests", 0, -1)
        job = {name.decode(): value for name, value in redis.hgetall(f"rq:job:{key.decode()}").items()}
    assert key.decode() == str(request_id)
    assert job["description"] == b"provision customer"
    assert json.loads(job["data"]) == [JOB_FUNCTION, None, [str(request_id)], {}]


def test_a_job_of_ours_is_one_of_rqs_own_key_by_key(resources_for: Callable[..., Resources], redis_url: str) -> None:
    """We write its form ourselves; a newer RQ with another form fails here."""
    resources, ours, rqs = resources_for("api"), uuid4(), uuid4()
    with Redis.from_url(redis_url) as redis:
        queue = Queue("requests", connection=redis, serializer=JSONSerializer)
        before = now()
        resources.request_queue.push([ours])
        assert redis.smembers(Queue.redis_queues_keys) == {queue.key.encode()}, "also after FLUSHALL"
        queue.enqueue_call(
            JOB_FUNCTION, args=(str(rqs),), job_id=str(rqs), description="provision customer",
            timeout=JOB_TIMEOUT, result_ttl=0, failure_ttl=JOB_FAILURE_TTL,
        )  # fmt: skip
        our_hash, rqs_hash = (redis.hgetall(Job.key_for(str(one))) for one in (ours, rqs))
        our_job, rqs_job = (Job.fetch(str(one), connection=redis, serializer=JSONSerializer) for one in (ours, rqs))
        assert redis.ttl(Job.key_for(str(ours))) == redis.ttl(Job.key_for(str(rqs))) == -1
        assert queue.job_ids == [str(ours), str(rqs)]
    # But for what differs between any two jobs, and that RQ compresses what it reads either way.
    for name in (b"data", b"created_at", b"enqueued_at"):
        assert len(our_hash.pop(name)) > 0
        assert len(rqs_hash.pop(name)) > 0
    assert our_hash == rqs_hash
    told, by_rq = our_job.to_dict(), rqs_job.to_dict()
    assert set(told) == set(by_rq)
    assert {name for name in told if told[name] != by_rq[name]} <= {"data", "created_at", "enqueued_at"}
    assert (our_job.func_name, our_job.args, our_job.kwargs) == (rqs_job.func_name, [str(ours)], {})
    assert our_job.get_status() == rqs_job.get_status() == JobStatus.QUEUED
    for moment in (our_job.created_at, our_job.enqueued_at):
        assert before <= moment <= now()


def test_many_ids_are_one_push(resources_for: Callable[..., Resources], redis_url: str) -> None:
    queue, ids = resources_for("api").request_queue, [uuid4() for _ in range(32)]
    with Redis.from_url(redis_url) as redis:
        with redis.monitor() as monitor:
            queue.push(ids)
            commands = [""]
            while commands[-1] != "EXEC":
                commands.append(monitor.next_command()["command"].split()[0])
        assert commands.count("RPUSH") == commands.count("MULTI") == 1
        assert commands[-2] == "RPUSH", "whoever takes an id finds its job"
        jobs = Job.fetch_many([str(one) for one in ids], connection=redis, serializer=JSONSerializer)
        assert [job.args for job in jobs if job] == [[str(one)] for one in ids]
    assert queue.counts().waiting == 32


def test_after_a_refusal_the_connection_goes_on(resources_for: Callable[..., Resources], redis_url: str) -> None:
    """All that was answered has been read: no answer is taken for another's."""
    queue = resources_for("api").request_queue
    with Redis.from_url(redis_url) as redis:
        redis.set("rq:queue:requests", "no list")
        with pytest.raises(QueueUnavailable, match="ResponseError"):
            queue.push([uuid4(), uuid4()])
        redis.delete("rq:queue:requests")
    queue.push([uuid4()])
    assert queue.counts().waiting == 1


def test_after_a_full_memory_the_connection_goes_on(
    resources_for: Callable[..., Resources], own_valkey: ValkeyServer
) -> None:
    queue = resources_for("api", redis_url=own_valkey.url).request_queue
    with Redis.from_url(own_valkey.url) as redis:
        redis.config_set("maxmemory", "1")
        with pytest.raises(QueueUnavailable, match="OutOfMemoryError"):
            queue.push([uuid4(), uuid4()])
        assert redis.keys() == [], "all or none"
        redis.config_set("maxmemory", "0")
    queue.push([uuid4()])
    assert queue.counts().waiting == 1


def test_a_stale_connection_is_no_outage(resources_for: Callable[..., Resources], redis_url: str) -> None:
    resources = resources_for("api")
    for _ in range(3):
        resources.breaker.call(lambda: resources.request_queue.push([uuid4()]))
        with Redis.from_url(redis_url) as redis:
            redis.client_kill_filter(_type="normal", skipme=True)
    resources.breaker.call(lambda: resources.request_queue.push([uuid4()]))
    assert resources.breaker.state == "closed"
    assert resources.request_queue.counts().waiting == 4


@pytest.mark.parametrize("how", ["stop", "freeze"])
def test_away_is_known_within_one_time_out(
    resources_for: Callable[..., Resources], own_valkey: ValkeyServer, how: str
) -> None:
    queue = resources_for("api", redis_url=own_valkey.url).request_queue
    queue.push([uuid4()])
    getattr(own_valkey, how)()
    try:
        for ask in (lambda: queue.push([uuid4()]), queue.ping, queue.counts):
            began = time.monotonic()
            with pytest.raises(QueueUnavailable):
                ask()
            assert time.monotonic() - began < REDIS_TIMEOUT + SLACK
    finally:
        if how == "freeze":
            own_valkey.thaw()


def test_a_redis_that_takes_no_writes_is_away(
    resources_for: Callable[..., Resources], own_valkey: ValkeyServer
) -> None:
    queue = resources_for("api", redis_url=own_valkey.url).request_queue
    with Redis.from_url(own_valkey.url) as redis:
        redis.config_set("maxmemory", "1")
    with pytest.raises(QueueUnavailable):
        queue.push([uuid4()])
    with pytest.raises(QueueUnavailable):
        queue.ping()
