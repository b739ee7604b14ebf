"""Provisioning: the one way a customer comes to exist, whichever door a request comes through.

1. claim (its own commit: the attempt counts, whatever happens); 2. what takes long, outside any transaction: hash the
password, ask the identity provider; 3. one transaction: lock the claim, three checks, all rows, the new state; 4. on
failure one statement: due again after a pause, or failed for good.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import psycopg2

from tripwire_shared.database import Connection, Database, within
from tripwire_shared.errors import DatabaseUnavailable, IdentityProviderUnavailable
from tripwire_shared.health.event import Event, EventType
from tripwire_shared.health.health_log import HealthLog
from tripwire_shared.keys import Sealer
from tripwire_shared.logs import get_logger
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.passwords import PasswordHasher
from tripwire_shared.provisioning.customer_rules import judge
from tripwire_shared.provisioning.customer_store import CustomerStore, SomebodyWasFaster
from tripwire_shared.provisioning.identity import IdentityProvider
from tripwire_shared.provisioning.invitation import Invitations
from tripwire_shared.provisioning.pace import Pace
from tripwire_shared.requests.request import Claim, RequestStatus
from tripwire_shared.requests.request_store import RequestStore
from tripwire_shared.round_trip import one_round_trip
from tripwire_shared.timings import ATTEMPT_LIMIT


class Door(StrEnum):
    """How a request came here; written into its timeline."""

    QUEUE = "taken from the queue"
    DIRECT = "created directly"
    SWEEP = "taken up by the sweep"


class Outcome(StrEnum):
    PROVISIONED = "provisioned"
    DUPLICATE = "duplicate"
    TRY_AGAIN = "try again"
    FAILED = "failed"
    NOT_MINE = "not mine"  # finished, not due, or another has it


@dataclass(frozen=True)
class _Prepared:
    password_hash: str | None


class Provisioning:
    """Raises DatabaseUnavailable; then the request's lease runs out and the sweep takes it up."""

    def __init__(
        self,
        database: Database,
        requests: RequestStore,
        customers: CustomerStore,
        identity: IdentityProvider,
        invitations: Invitations,
        outbox: Outbox,
        health_log: HealthLog,
        wake_mails: Callable[[], None],
        hasher: PasswordHasher,
        sealer: Sealer,
        pace: Pace,
        window: float,
    ) -> None:
        self._database, self._requests, self._customers, self._identity = database, requests, customers, identity
        self._invitations, self._outbox, self._health_log, self._wake_mails = (
            invitations,
            outbox,
            health_log,
            wake_mails,
        )
        self._hasher, self._sealer, self._pace, self._window = hasher, sealer, pace, window

    def provision(self, request_id: UUID, door: Door, *, fallback: bool = False) -> Outcome:
        """One attempt for a request that came from the queue or that the API creates itself."""
        if door is Door.QUEUE:
            if not self._requests.is_due(request_id):
                return Outcome.NOT_MINE
            self._pace.wait_for_slot()
        claim = self._requests.claim(request_id, door=door, fast_lane=True, fallback=fallback)
        if claim is not None:
            return self.attempt(claim, door)
        if door is Door.QUEUE:
            self._use_up_slot()
        return Outcome.NOT_MINE

    def attempt(self, claim: Claim, door: Door) -> Outcome:
        """The attempt for which `claim` was taken. Failures end in the request's state, not in an exception."""
        answer_now = door is Door.DIRECT
        try:
            with _limit(door):
                prepared = self._prepare(claim)
                return self._create(claim, prepared, answer_now=answer_now)
        except Exception as error:
            # Everything else is this request's failure: noted, tried again, and after the last attempt said aloud.
            if not isinstance(error, DatabaseUnavailable | IdentityProviderUnavailable):
                get_logger(__name__).exception("attempt failed unexpectedly", request_id=str(claim.request_id))
            return self._fail(claim, reason_of(error), answer_now=answer_now)

    def give_up_exhausted(self, batch: int) -> int:
        """Ends requests whose process died in their last attempt; returns how many."""
        count = self._requests.give_up_exhausted(batch, self._health_log.record_failed_request)
        if count:
            self._health_log.wake_alerts()
        return count

    def _use_up_slot(self) -> None:
        """The sweep was faster with this request. In a backlog both work at the head of the line, so that this is
        common: the slot goes to the request that has been due longest, instead of to nobody."""
        for claim in self._requests.claim_due(1, door=Door.SWEEP):
            self.attempt(claim, Door.SWEEP)

    def _prepare(self, claim: Claim) -> _Prepared:
        password_hash = None
        if claim.sealed_password is not None:
            password_hash = self._hasher.hash(self._sealer.unseal(claim.sealed_password))
        self._identity.prepare(claim, password_hash)
        return _Prepared(password_hash)

    def _create(self, claim: Claim, prepared: _Prepared, *, answer_now: bool) -> Outcome:
        try:
            with self._database.transaction() as connection:
                outcome = self._check_and_create(connection, claim, prepared, answer_now=answer_now)
        except SomebodyWasFaster:
            # The transaction is rolled back as a whole; what is there now decides.
            with self._database.transaction() as connection:
                outcome = self._check_and_create(connection, claim, prepared, answer_now=answer_now)
        if outcome is Outcome.PROVISIONED:
            self._wake_mails()
        return outcome

    def _check_and_create(
        self, connection: Connection, claim: Claim, prepared: _Prepared, *, answer_now: bool
    ) -> Outcome:
        if not self._requests.lock_claimed(connection, claim):
            return Outcome.NOT_MINE
        verdict = judge(claim.request_id, self._customers.find_existing(connection, claim, self._window))
        if verdict.duplicate is not None:
            self._requests.finish(
                connection,
                claim,
                RequestStatus.DUPLICATE,
                user_id=None,
                answer_now=answer_now,
                detail=verdict.duplicate,
            )
            about = {"request_id": str(claim.request_id), "user_id": str(verdict.user_id), "reason": verdict.duplicate}
            self._health_log.record_in(
                connection, Event(EventType.WARNING, "Already a customer, nothing created", about)
            )
            return Outcome.DUPLICATE
        user_id = verdict.resume or self._identity.make(connection, claim, prepared.password_hash)
        self._customers.insert_customer(connection, claim, user_id)
        made = {"request_id": str(claim.request_id), "user_id": str(user_id), "attempts": claim.attempts}
        with one_round_trip(connection) as writes:
            self._customers.note_created(writes, claim, user_id)
            invitation_id = None if prepared.password_hash else self._invitations.create(writes, user_id)
            self._outbox.put_mail(writes, user_id=user_id, request_id=claim.request_id, invitation_id=invitation_id)
            self._health_log.record_in(writes, Event(EventType.INFO, "Customer provisioned", made))
            self._requests.finish(
                writes, claim, RequestStatus.PROVISIONED, user_id=user_id, answer_now=answer_now,
                detail="Not provisioned recently, no auth user before, no customer before.",
            )  # fmt: skip
        return Outcome.PROVISIONED

    def _fail(self, claim: Claim, reason: str, *, answer_now: bool) -> Outcome:
        with self._database.transaction() as connection:
            status = self._requests.fail(connection, claim, reason, answer_now=answer_now)
            if status is RequestStatus.FAILED:
                self._health_log.record_failed_request(connection, claim.request_id, claim.attempts, reason)
        if status is None:
            return Outcome.NOT_MINE
        if status is RequestStatus.FAILED:
            self._health_log.wake_alerts()
            return Outcome.FAILED
        return Outcome.TRY_AGAIN


def _limit(door: Door) -> AbstractContextManager[None]:
    """All of an attempt's waits for the database together; the API has set its own, shorter one."""
    return nullcontext() if door is Door.DIRECT else within(ATTEMPT_LIMIT)


def reason_of(error: Exception) -> str:
    """Why an attempt failed, in a sentence without SQL, secrets or personal data."""
    if isinstance(error, DatabaseUnavailable | IdentityProviderUnavailable):
        return str(error)
    if isinstance(error, psycopg2.Error):
        return f"The database refused ({type(error).__name__})."
    return f"Unexpected error ({type(error).__name__})."
