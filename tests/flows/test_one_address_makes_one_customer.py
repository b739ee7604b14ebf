"""However many ask for one address at once, in whatever mode: one 2xx, one customer, one sale."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.invariants import assert_nothing_broken, count
from tests.sales_manager import Manager, new_email
from tests.stack import Stack
from tests.waiting import wait_until

POSTS = 50
ROUNDS = 20


@pytest.mark.parametrize(
    "way", ["flipping", *(pytest.param(mode, marks=pytest.mark.long) for mode in ("async_queue", "sync_direct"))]
)
def test_fifty_at_once(stack: Stack, way: str) -> None:
    stack.start_api(processes=2, API_RATE_LIMIT="0")
    stack.start_worker(WORKER_RATE_LIMIT="0")
    manager = Manager(stack.api_url, stack.log_in())
    if way == "sync_direct":
        manager.switch(way)
    over = threading.Event()
    flipper = threading.Thread(target=_flip, args=(Manager(stack.api_url, manager.token), over))
    if way == "flipping":
        flipper.start()
    try:
        with ThreadPoolExecutor(POSTS) as posts:
            for _ in range(ROUNDS):
                email = new_email()
                managers = [Manager(stack.api_url, manager.token) for _ in range(POSTS)]
                statuses = Counter(posts.map(lambda one, to=email: one.create(to).status_code, managers))
                assert set(statuses) <= {201, 202, 409}, statuses
                assert statuses[201] + statuses[202] == 1, statuses
    finally:
        over.set()
        if flipper.is_alive():
            flipper.join(10)
    url = stack.environ["DATABASE_URL"]
    wait_until(lambda: count(url, "SELECT count(*) FROM sales") == ROUNDS, 15)
    assert count(url, "SELECT count(*) FROM tripwire_users") == ROUNDS
    assert_nothing_broken(url)


def _flip(manager: Manager, over: threading.Event) -> None:
    while not over.wait(0.05):
        manager.switch("sync_direct")
        over.wait(0.05)
        manager.switch("async_queue")
