"""The queue on real Redis: ids only, no outage where only a pooled connection was stale, quick where it is away."""

import json
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from redis import Redis

from deploy.local.valkey import ValkeyServer
from tests.resources import Resources
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.queue.job_form import JOB_FUNCTION
from tripwire_shared.timings import REDIS_TIMEOUT

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
