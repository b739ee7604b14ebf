"""Provisioning: the one way a customer comes to exist, whichever door a request comes through. It works on sets.

1. claim (its own commit: the attempt counts, whatever happens); 2. for those that need it what takes long, outside any
transaction: hash the password, ask an outside identity provider; then the lease begins anew; 3. one statement for the
whole set: lock what is still ours, the checks, all rows, the new state (`customer_store.sql`); 4. on failure one
statement: due again after a pause, or failed for good.

A set whose statement fails is done again one by one, so that nobody pays for a neighbour.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import psycopg2
import psycopg2.errors

from tripwire_shared.answers.vocabulary import Door, FailureCause, RequestStatus
from tripwire_shared.errors import (
    ConnectionLost,
    DatabaseUnavailable,
    IdentityProviderRefused,
    IdentityProviderUnavailable,
    TripwireError,
)
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.logs import get_logger
from tripwire_shared.postgres.database import within
from tripwire_shared.provisioning.customer_store import CustomerStore, Made
from tripwire_shared.provisioning.preparation import Preparation
from tripwire_shared.requests.claims import ClaimStore, Failure
from tripwire_shared.requests.request import Claim
from tripwire_shared.timings import LEASE_RENEWED_AFTER, SET_STATEMENT_LIMIT
from tripwire_shared.tracing import Span, Tracer, now

# More in one statement gain little: 20 cost 0.23 ms of PostgreSQL each, 50 cost 0.18 ms, one alone 1.65 ms.
SET_AT_MOST = 50
# How often a request alone is looked at, where somebody was faster between the checks and the insert.
LOOKS = 2
# Of a set that is done one by one, so many may fail in a row because of the database before the rest is put off.
SINGLES_THAT_FAIL = 2


class Outcome(StrEnum):
    PROVISIONED = "provisioned"
    DUPLICATE = "duplicate"
    TRY_AGAIN = "try again"
    FAILED = "failed"
    NOT_MINE = "not mine"  # the claim was lost: finished, or another has it


# What a trace shows as an error.
_FAILURES = {Outcome.TRY_AGAIN: "it is tried again", Outcome.FAILED: "no attempt is left"}


@dataclass(frozen=True)
class Attempt:
    """What became of the attempt for one request; `user_id`: its auth user, where it was provisioned."""

    request_id: UUID
    outcome: Outcome
    user_id: UUID | None = None


class SomebodyWasFaster(TripwireError):
    """The e-mail address was taken at the same moment."""


# What passes by itself, so that it uses up no attempt.
PASSING = (DatabaseUnavailable, IdentityProviderUnavailable, SomebodyWasFaster)


class Provisioning:
    """`on_provisioned` is called after a commit by Door.DIRECT that left a mail to be sent, of which nobody else is
    told; it must return at once. `writer` notes a failure later where the database is away."""

    def __init__(
        self,
        claims: ClaimStore,
        customers: CustomerStore,
        preparation: Preparation,
        writer: BackgroundWriter,
        tracer: Tracer,
        *,
        on_provisioned: Callable[[], None],
    ) -> None:
        self._claims, self._customers, self._preparation, self._writer = claims, customers, preparation, writer
        self._tracer, self._on_provisioned = tracer, on_provisioned

    @property
    def set_at_most(self) -> int:
        """How many requests make a set. An outside identity provider is asked for one at a time: then each is a set of
        its own, and several sets are worked on beside each other."""
        return 1 if self._preparation.outside else SET_AT_MOST

    def provision_new(self, request_ids: Sequence[UUID], door: Door, *, fallback: bool = False) -> list[Attempt]:
        """Claims new requests and makes the attempt for those that nobody else has. Raises DatabaseUnavailable where
        they could not be claimed."""
        return self.provision(self._claims.claim(request_ids, door=door, fallback=fallback), door)

    def provision(self, claims: Sequence[Claim], door: Door) -> list[Attempt]:
        """The attempt for which `claims` (of one owner) were taken. Failures end in the requests' state, never in an
        exception."""
        began, numbers = now(), {claim.request_id: claim.attempts for claim in claims}
        attempts = self._attempts(claims, door)
        for attempt in attempts:
            about = {"door": door.value, "attempt": numbers[attempt.request_id], "outcome": attempt.outcome.value}
            self._tracer.record(
                Span.PROVISION, attempt.request_id, began, about, failure=_FAILURES.get(attempt.outcome)
            )
        return attempts

    def _attempts(self, claims: Sequence[Claim], door: Door) -> list[Attempt]:
        quick = [claim for claim in claims if not self._preparation.needed(claim)]
        attempts = self._create(quick, door)
        waiting = [claim for claim in claims if self._preparation.needed(claim)]
        while waiting:
            prepared = self._preparation.some_of(waiting)
            for claim, error in prepared.failed:
                attempts += self._fail([claim], error, door)
            held = self._renew(prepared.held, prepared.hashes, door, attempts)
            attempts += self._create([claim for claim in prepared.ready if claim.request_id in held], door)
            waiting = [claim for claim in prepared.waiting if claim.request_id in held]
        return attempts

    def _create(self, claims: Sequence[Claim], door: Door) -> list[Attempt]:
        if len(claims) == 1:
            return [self._create_alone(claims[0], door)]
        return self._create_set(claims, door) if claims else []

    def _create_set(self, claims: Sequence[Claim], door: Door) -> list[Attempt]:
        try:
            made = self._made(claims, door)
        except Exception as error:
            get_logger(__name__).warning(
                "a set failed and is done one by one", requests=len(claims), reason=reason_of(error)
            )
            return self._create_one_by_one(claims, door)
        # Who was faster with an address decides: looked at again, alone, by the checks.
        again = [claim for claim in claims if claim.request_id in made and made[claim.request_id].status is None]
        attempts = [self._create_alone(claim, door) for claim in again]
        return attempts + [_attempt(claim, made.get(claim.request_id)) for claim in claims if claim not in again]

    def _create_one_by_one(self, claims: Sequence[Claim], door: Door) -> list[Attempt]:
        attempts: list[Attempt] = []
        waiting, put_off_in_a_row = list(claims), 0
        renewed_at = float("-inf")
        while waiting:
            if time.monotonic() - renewed_at >= LEASE_RENEWED_AFTER:
                held = self._renew(waiting, {}, door, attempts)
                waiting, renewed_at = [claim for claim in waiting if claim.request_id in held], time.monotonic()
                continue
            if put_off_in_a_row == SINGLES_THAT_FAIL:
                # It is not one of them but the database.
                return [*attempts, *self._fail(waiting, DatabaseUnavailable(), door)]
            attempts.append(self._create_alone(waiting.pop(0), door))
            put_off_in_a_row = put_off_in_a_row + 1 if attempts[-1].outcome is Outcome.TRY_AGAIN else 0
        return attempts

    def _create_alone(self, claim: Claim, door: Door) -> Attempt:
        try:
            return _attempt(claim, self._made_alone(claim, door))
        except Exception as error:
            return self._fail([claim], error, door)[0]

    def _made_alone(self, claim: Claim, door: Door) -> Made | None:
        """None where the claim was lost."""
        for _ in range(LOOKS):
            try:
                made = self._made([claim], door).get(claim.request_id)
            except psycopg2.errors.UniqueViolation:
                continue  # a customer appeared between the checks and the insert: the next look sees it
            if made is None or made.status is not None:
                return made
        if self._preparation.outside:
            raise IdentityProviderUnavailable("The identity provider's user is not in auth.users.")
        raise SomebodyWasFaster

    def _made(self, claims: Sequence[Claim], door: Door) -> dict[UUID, Made]:
        direct = door is Door.DIRECT
        # The API has set its own, shorter limit.
        with nullcontext() if direct else within(SET_STATEMENT_LIMIT):
            made = self._customers.provision(claims, makes_auth_users=not self._preparation.outside, answer_now=direct)
        if direct and any(one.status is RequestStatus.PROVISIONED for one in made.values()):
            self._on_provisioned()
        return made

    def _renew(
        self, claims: Sequence[Claim], hashes: dict[UUID, str], door: Door, attempts: list[Attempt]
    ) -> set[UUID]:
        """The lease of these begins anew; gives those still held, and adds to `attempts` what became of the others."""
        try:
            held = self._claims.renew(claims, hashes) if claims else set()
        except DatabaseUnavailable as error:
            attempts += self._fail(claims, error, door)
            return set()
        attempts += [_attempt(claim, None) for claim in claims if claim.request_id not in held]
        return held

    def _fail(self, claims: Sequence[Claim], error: Exception, door: Door) -> list[Attempt]:
        passing = isinstance(error, PASSING)
        if not passing and not isinstance(error, IdentityProviderRefused):
            get_logger(__name__).error(
                "attempt failed unexpectedly", request_id=str(claims[0].request_id), exc_info=error
            )
        failure = Failure(reason_of(error), cause_of(error), passing, getattr(error, "retry_after", None))
        later = _NotedLater(self._claims, claims, failure, answer_now=door is Door.DIRECT)
        try:
            statuses = later.note()
        except DatabaseUnavailable:
            # As long as nobody else takes the request up, which nobody can without the database.
            self._writer.submit(later)
            return [Attempt(claim.request_id, Outcome.TRY_AGAIN) for claim in claims]
        return [Attempt(claim.request_id, _OUTCOMES[statuses.get(claim.request_id)]) for claim in claims]


# After a failure the request is due again, has failed for good, or was not ours any more.
_OUTCOMES = {
    RequestStatus.ACCEPTED: Outcome.TRY_AGAIN,
    RequestStatus.FAILED: Outcome.FAILED,
    RequestStatus.PROVISIONED: Outcome.PROVISIONED,
    RequestStatus.DUPLICATE: Outcome.DUPLICATE,
    None: Outcome.NOT_MINE,
}


def _attempt(claim: Claim, made: Made | None) -> Attempt:
    if made is None:
        return Attempt(claim.request_id, Outcome.NOT_MINE)
    return Attempt(claim.request_id, _OUTCOMES[made.status], made.user_id)


@dataclass(frozen=True)
class _NotedLater:
    """A failure on its way into the table; the fence makes it void where somebody else has the request by then."""

    claims: ClaimStore
    failed: Sequence[Claim]
    failure: Failure
    answer_now: bool

    def note(self) -> dict[UUID, RequestStatus]:
        return self.claims.fail(self.failed, self.failure, answer_now=self.answer_now)

    def write(self) -> None:
        self.note()

    def say_without_database(self) -> None:
        return


# The most special first.
_CAUSES: tuple[tuple[type[Exception], FailureCause], ...] = (
    (ConnectionLost, FailureCause.DATABASE_CONNECTION_LOST),
    (DatabaseUnavailable, FailureCause.DATABASE_UNREACHABLE),
    (psycopg2.Error, FailureCause.DATABASE_REFUSED),
    (IdentityProviderUnavailable, FailureCause.IDENTITY_PROVIDER),
    (IdentityProviderRefused, FailureCause.IDENTITY_PROVIDER),
    (SomebodyWasFaster, FailureCause.EMAIL_TAKEN_MEANWHILE),
)


def cause_of(error: Exception) -> FailureCause:
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), FailureCause.UNEXPECTED)


def reason_of(error: Exception) -> str:
    """Why an attempt failed, in a sentence without SQL, secrets or personal data."""
    if isinstance(error, TripwireError):
        return str(error)
    if isinstance(error, psycopg2.Error):
        return f"The database refused ({type(error).__name__})."
    return f"Unexpected error ({type(error).__name__})."
