"""The sweep sleeps until something is due, or until it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from tests.resources import Resources
from tests.waiting import wait_until
from tests.worker.conftest import accept, rows
from tripwire_shared.answers.vocabulary import RequestStatus
from tripwire_shared.postgres.wakeups import WakeUp
from tripwire_shared.requests.claims import Failure
from tripwire_worker.attempts import Attempts
from tripwire_worker.meter import AttemptMeter
from tripwire_worker.sweep import Sweep

Build = Callable[..., Resources]
# So long that nothing is found by looking.
INTERVAL = 60.0
LISTENING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^LISTEN'"


@pytest.fixture
def resources(build: Build) -> Resources:
    return build(job_max_attempts=1, sweep_after_seconds=0.5)


@pytest.fixture
def sweep(resources: Resources) -> Iterator[Sweep]:
    """Runs, and has looked once."""
    looked = threading.Event()
    sweep = Sweep(
        resources.claims, resources.provisioning, resources.pace, Attempts(2), AttemptMeter(),
        interval=INTERVAL, beat=looked.set,
    )  # fmt: skip
    resources.wakeups.listen(WakeUp.DUE, sweep.told)
    thread = threading.Thread(target=sweep.run)
    thread.start()
    resources.wakeups.start()
    try:
        wait_until(lambda: looked.is_set() and rows(resources.database, LISTENING), 5)
        time.sleep(0.2)  # the look is over
        yield sweep
    finally:
        sweep.stop()
        thread.join(5)
        resources.wakeups.stop(5)
    assert not thread.is_alive(), "it stops although it had a minute to sleep"


def status(resources: Resources, request_id: UUID) -> RequestStatus:
    found: RequestStatus = resources.requests.get(request_id).status
    return found


@pytest.mark.usefixtures("sweep")
def test_a_retry_is_taken_up_at_once(resources: Resources, staff_id: UUID) -> None:
    request_id = accept(resources, staff_id)
    rows(resources.database, "UPDATE provisioning_requests SET status = 'failed', finished_at = now()")
    began = time.monotonic()
    resources.requests.retry(request_id, staff_id)
    wait_until(lambda: status(resources, request_id) is RequestStatus.PROVISIONED, 5)
    assert time.monotonic() - began < 2


@pytest.mark.usefixtures("sweep")
def test_a_failure_of_another_process_is_tried_again_at_its_time(resources: Resources, staff_id: UUID) -> None:
    """Its pause is shorter than the head start, within which the sweep need not look."""
    request_id = accept(resources, staff_id)
    [claim] = resources.claims.claim([request_id], door="a test")
    began = time.monotonic()
    resources.claims.fail([claim], Failure("a test", passing=True), answer_now=False)
    wait_until(lambda: status(resources, request_id) is RequestStatus.PROVISIONED, 10)
    assert 1.5 < time.monotonic() - began < 4, "after two seconds"
