"""How long a wake-up takes: from the commit that puts something in to who waits for it."""

import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from tests.resources import Resources, build_resources
from tests.shared.delivering import delivering, listening, put_mail
from tests.waiting import wait_until
from tests.worker.conftest import a_manager, accept
from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.serving.places import place_of
from tripwire_shared.settings import Settings

MAILS = 300
MAIL_P99_MS = 20
WAITING = 200
ENDED_AT_ONCE = 10
ANSWERED_WITHIN_MS = 100


@pytest.fixture
def build(settings_for: Callable[..., Settings]) -> Iterator[Callable[[str], Resources]]:
    built: list[Resources] = []

    def make(service: str) -> Resources:
        built.append(build_resources(settings_for(), service=service))
        return built[-1]

    yield make
    for resources in built:
        resources.stop()


def test_a_mail_reaches_its_deliverer(build: Callable[[str], Resources], database_url: str) -> None:
    elsewhere, took = build("worker"), []
    with delivering(build("sweep"), database_url) as delivered:
        listening(elsewhere)
        for _ in range(MAILS):
            request_id = put_mail(elsewhere)
            put_at = time.monotonic()
            wait_until(lambda request_id=request_id: request_id in delivered.at, 5, step=0.001)
            took.append((delivered.at[request_id] - put_at) * 1000)
            time.sleep(0.005)  # so that the deliverer sleeps again
    assert centile(took, 99, "put to deliverer") <= MAIL_P99_MS


def test_who_waits_for_a_request_is_answered(build: Callable[[str], Resources]) -> None:
    """Ten at a time come to their end; each answer is read from the database once more."""
    api, worker = build("api"), build("worker")
    api.wakeups.start()
    wait_until(api.mode_store.receipts, 5)
    staff_id = a_manager(worker.database)
    requests = [accept(worker, staff_id, f"customer{number}@example.com") for number in range(WAITING)]
    answered_at = dict[UUID, float]()
    token = api.tokens.make(staff_id, "of a test").token

    def wait_for(request_id: UUID) -> None:
        assert api.long_waits.until_finished(request_id, 30, place_of({}), token)
        assert api.request_list.get(request_id).finished
        answered_at[request_id] = time.monotonic()

    threads = [threading.Thread(target=wait_for, args=(request_id,)) for request_id in requests]
    for thread in threads:
        thread.start()
        time.sleep(0.005)  # there is a connection for eight at a time
    took = []
    for first in range(0, WAITING, ENDED_AT_ONCE):
        ended = requests[first : first + ENDED_AT_ONCE]
        worker.provisioning.provision_new(ended, Door.QUEUE)
        ended_at = time.monotonic()
        wait_until(lambda ended=ended: answered_at.keys() >= set(ended), 10, step=0.001)
        if first:  # the first ones also open connections and compile what reads a request
            took += [(answered_at[request_id] - ended_at) * 1000 for request_id in ended]
    for thread in threads:
        thread.join(5)
    assert centile(took, 99, "end to answer") <= ANSWERED_WITHIN_MS


def centile(took: list[float], percent: int, what: str) -> float:
    took.sort()
    found = took[len(took) * percent // 100]
    print(f"{what}: p50 {took[len(took) // 2]:.1f} ms, p{percent} {found:.1f}, worst {took[-1]:.1f}")
    return found
