"""Two API services and two worker services with everything at once: bursts of creates for the same few people, keys
used twice, switches of the mode, processes killed, Redis flushed. By a seed, so that a round can be had again.

`make test-faults ROUNDS=1000` runs a thousand rounds; CI runs a few dozen.
"""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from uuid import uuid4

import pytest
import requests
from redis import Redis

from tests.faults.processes import api_processes, send, sweep_of, worker_of
from tests.invariants import assert_all_kept, assert_mails_arrived, assert_nothing_broken, count, wait_until_settled
from tests.sales_manager import Manager, new_email
from tests.stack import Stack
from tests.waiting import wait_until

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "40"))
SEED = int(os.environ.get("FAULT_SEED", "1"))
CREATES_AT_ONCE = 8
TRIES = 150  # of one create, while a whole API is being started again
LOOK_EVERY = 20


@pytest.mark.long
@pytest.mark.timeout(60 + 2 * ROUNDS)
def test_rounds_with_real_parallelism(stack: Stack) -> None:
    url = stack.environ["DATABASE_URL"]
    # Attempts enough for a request that is hit by one death after another.
    stack.environ.update(WORKER_RATE_LIMIT="0", JOB_MAX_ATTEMPTS="10", API_RATE_LIMIT="0")
    apis = [stack.start_api(processes=2), stack.start_api(processes=2)]
    urls = [f"http://127.0.0.1:{api.environ['API_PORT']}" for api in apis]
    workers = [stack.start_worker(), stack.start_worker()]
    token = stack.log_in()
    rng = random.Random(SEED)
    accepted: dict[str, set[str]] = {}

    for number in range(ROUNDS):
        _create_at_once(urls, token, rng, accepted)
        _fault(rng, stack, urls, token, [lambda api=api: api_processes(api) for api in apis], [
            duty for worker in workers for duty in (
                lambda worker=worker: [found for found in [worker_of(worker)] if found],
                lambda worker=worker: [found for found in [sweep_of(worker)] if found],
            )
        ])  # fmt: skip
        if number % LOOK_EVERY == 0:
            assert_nothing_broken(url)

    wait_until_settled(url, 60)
    assert [ids for ids in accepted.values() if len(ids) > 1] == [], "one e-mail, two requests accepted"
    assert_all_kept(url, [request_id for ids in accepted.values() for request_id in ids])
    assert count(url, "SELECT count(*) FROM sales") == len(accepted)
    assert_mails_arrived(url, stack.mail_folder)


def _create_at_once(urls: list[str], token: str, rng: random.Random, accepted: dict[str, set[str]]) -> None:
    """Eight creates for three people at the same moment, through both APIs; each keeps on until it has an answer."""
    emails = [new_email() for _ in range(3)]
    wanted = [(rng.choice(emails), rng.choice([uuid4().hex, "shared"])) for _ in range(CREATES_AT_ONCE)]
    start = threading.Barrier(CREATES_AT_ONCE)
    outcomes: list[tuple[str, str | None]] = []

    def create(number: int, email: str, key: str) -> None:
        manager = Manager(urls[number % len(urls)], token)
        key = f"{email} {key}"  # the same key with the same body
        start.wait()
        outcomes.append((email, _insist(manager, email, key)))

    threads = [threading.Thread(target=create, args=(number, *customer)) for number, customer in enumerate(wanted)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == CREATES_AT_ONCE, "somebody has no answer"
    for email, request_id in outcomes:
        if request_id is not None:
            accepted.setdefault(email, set()).add(request_id)
    have = Counter(email for email, request_id in outcomes if request_id is not None)
    assert all(have[email] > 0 for email, _ in wanted), "of those who want one address, one gets it"


def _insist(manager: Manager, email: str, key: str) -> str | None:
    """The id of the request, or None where another has the e-mail."""
    for _ in range(TRIES):
        try:
            answer = manager.create(email, key=key)
        except requests.RequestException:
            answer = None
        if answer is not None and answer.status_code in (201, 202):
            return str(answer.json()["request_id"])
        if answer is not None and answer.json()["title"] == "E-mail address taken":
            return None
        assert answer is None or answer.status_code in (409, 503), answer.text
        threading.Event().wait(0.2)
    raise AssertionError(f"{email} never had an answer")


def _fault(
    rng: random.Random,
    stack: Stack,
    urls: list[str],
    token: str,
    apis: list[Callable[[], list]],
    duties: list[Callable[[], list]],
) -> None:
    """In one round of three something happens."""
    kind = rng.choice(["API", "worker service", "worker service", "flush", "switch", *["nothing"] * 10])
    if kind == "switch":
        mode = rng.choice(["async_queue", "sync_direct"])
        wait_until(lambda: _switched(rng.choice(urls), token, mode), 20, what="the switch")
    elif kind == "flush":
        with Redis.from_url(stack.environ["REDIS_URL"]) as redis:
            redis.flushdb()
    elif kind != "nothing":
        found = rng.choice(apis if kind == "API" else duties)()
        if found:
            send(signal.SIGKILL, [rng.choice(found)])


def _switched(url: str, token: str, mode: str) -> bool:
    try:
        return Manager(url, token).call("POST", "/api/admin/system/mode", json={"mode": mode}).status_code == 200
    except requests.RequestException:
        return False
