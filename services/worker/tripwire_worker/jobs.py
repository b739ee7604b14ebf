"""The job that RQ calls: a thin door to provisioning. Its only argument is a request's id."""

import time
from uuid import UUID

from rq import get_current_job

from tripwire_shared.provisioning.provision import Door, Outcome
from tripwire_shared.queue.request_queue import COMPLETED_KEY
from tripwire_worker.pool import attempt_meter, worker_core


class AttemptFailed(Exception):
    """Only so that rq-dashboard shows the failed attempt: our own `due_at` drives the next one."""


def provision_customer(request_id: str) -> None:
    """One attempt for the request. Raises AttemptFailed after a failed one; nothing of RQ's retry is used."""
    began_at = time.perf_counter()
    outcome = worker_core().provisioning.provision(UUID(request_id), Door.QUEUE)
    attempt_meter().count(Door.QUEUE, outcome, began_at)
    if outcome in (Outcome.TRY_AGAIN, Outcome.FAILED):
        raise AttemptFailed(outcome)
    job = get_current_job()
    if job is not None and outcome is not Outcome.NOT_MINE:
        job.connection.incr(COMPLETED_KEY)
