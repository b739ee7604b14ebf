"""Redis flushed, stopped, started and frozen while requests come in and are worked on: each 2xx is kept, and every
create succeeds at its first try."""

import random
import time

from redis import Redis

from deploy.local.valkey import ValkeyServer
from tests.faults.load import Load
from tests.invariants import assert_all_kept, assert_mails_arrived, wait_until_settled
from tests.stack import Stack

SEED = 11


def test_redis_lost_again_and_again(stack: Stack, own_valkey: ValkeyServer) -> None:
    url = stack.environ["DATABASE_URL"]
    stack.environ.update(REDIS_URL=own_valkey.url, WORKER_RATE_LIMIT="0", SWEEP_AFTER_SECONDS="2")
    stack.start_api(processes=2)
    stack.start_worker()
    rng = random.Random(SEED)
    with Load([stack.api_url], stack.log_in()) as load:
        for lose in (_flush, _stop, _flush, _freeze, _flush):
            time.sleep(rng.uniform(0.3, 0.8))  # the random moment
            lose(own_valkey)

    assert [str(seen) for seen in load.tries if not seen.accepted] == []
    assert len(load.tries) == len(load.customers)
    wait_until_settled(url, 30)
    assert_all_kept(url, load.accepted)
    assert_mails_arrived(url, stack.mail_folder)


def _flush(valkey: ValkeyServer) -> None:
    with Redis.from_url(valkey.url) as redis:
        redis.flushall()


def _stop(valkey: ValkeyServer) -> None:
    valkey.stop()
    time.sleep(1)  # how long it is away
    valkey.start()


def _freeze(valkey: ValkeyServer) -> None:
    valkey.freeze()
    time.sleep(1)  # how long it is silent
    valkey.thaw()
