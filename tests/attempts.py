"""Attempts in the test's own process: what the worker's processes do with a request, one step at a time."""

from uuid import UUID

from tests.resources import Resources
from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.provisioning.provision import Attempt, Outcome


def attempt(resources: Resources, request_id: UUID | str, door: Door = Door.QUEUE) -> Outcome:
    """One attempt for a new request, as a set of one; NOT_MINE also where it could not be claimed."""
    attempts: list[Attempt] = resources.provisioning.provision_new([UUID(str(request_id))], door)
    return attempts[0].outcome if attempts else Outcome.NOT_MINE


def give_up_exhausted(resources: Resources) -> int:
    """Ends what has no attempt left, as the sweep does; how many."""
    exhausted = resources.claims.waiting(1).exhausted
    return int(resources.claims.give_up(exhausted)) if exhausted else 0


def attempt_due(resources: Resources, at_most: int = 1) -> list[Attempt]:
    """The attempts for what is due, as the sweep makes them."""
    claims = resources.claims.claim_due(at_most, door=Door.SWEEP)
    attempts: list[Attempt] = resources.provisioning.provision(claims, Door.SWEEP)
    return attempts
