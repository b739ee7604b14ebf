"""Claims in PostgreSQL: taking requests for an attempt, and what became of it. The statements stand in `claims.sql`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tripwire_shared.answers.vocabulary import Door, FailureCause, RequestStatus
from tripwire_shared.lease_owner import new_owner
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.requests.attempt_rules import PASSING_AT_MOST, AttemptRules
from tripwire_shared.requests.request import Claim
from tripwire_shared.timings import CLAIM_LEASE

ABANDONED = "Its last attempt ended without a word: the process that worked on it died or hung."
# Of what is due longest, so many are looked through for requests without an attempt left.
EXHAUSTED_LOOK = 200


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed: the cause, and a sentence that says more. `passing`: it will pass by itself, so that it
    uses up no attempt; `retry_after`: seconds that the server which refused asked for."""

    reason: str
    cause: FailureCause = FailureCause.UNEXPECTED
    passing: bool = False
    retry_after: float | None = None


@dataclass(frozen=True)
class Waiting:
    """`due`: how many can be claimed now, counted up to the limit that was asked for; `next_due_in`: seconds until the
    next one is due (negative: overdue), None where none waits; `exhausted`: due, but no attempt is left."""

    due: int
    next_due_in: float | None
    exhausted: list[UUID]


class ClaimStore:
    """Raises DatabaseUnavailable throughout. `on_failed(connection, request_id, attempts, reason)` records a request
    that has failed for good, in the transaction that ends it."""

    def __init__(
        self, database: Database, rules: AttemptRules, on_failed: Callable[[Connection, UUID, int, str], None]
    ) -> None:
        self._database, self._rules, self._on_failed = database, rules, on_failed
        self._sql = load_queries(__file__)

    def claim(self, request_ids: Sequence[UUID], *, door: Door, fallback: bool = False) -> list[Claim]:
        """Takes those of these new requests that nobody else has; for one attempt, as one set."""
        owner = new_owner()
        with self._database.connection() as connection:
            rows = self._sql.claim(
                connection, ids=list(request_ids), owner=owner, lease=CLAIM_LEASE, fallback=fallback, door=door,
                max_attempts=self._rules.max_attempts,
            )  # fmt: skip
            return [_claim(row, owner) for row in rows]

    def claim_due(self, at_most: int, *, door: Door, with_tried: bool = True) -> list[Claim]:
        """Takes up to `at_most` requests that are due and that nobody holds: a set of new ones, or one that was tried
        before, alone; that kind not at all where `with_tried` is False."""
        owner = new_owner()
        with self._database.connection() as connection:
            rows = self._sql.claim_due(
                connection, owner=owner, lease=CLAIM_LEASE, max_attempts=self._rules.max_attempts, batch=at_most,
                door=door, with_tried=with_tried,
            )  # fmt: skip
            return [_claim(row, owner) for row in rows]

    def waiting(self, at_most: int) -> Waiting:
        """What is due now."""
        row = self._database.read(
            lambda connection: self._sql.waiting(
                connection, most=at_most, max_attempts=self._rules.max_attempts, look=EXHAUSTED_LOOK
            )
        )
        return Waiting(row.due, row.next_due_in, row.exhausted)

    def claimable(self, request_ids: Sequence[UUID]) -> int:
        """How many of these `claim` would take."""
        ids = list(request_ids)
        return int(self._database.read(lambda connection: self._sql.claimable(connection, ids=ids)))

    def renew(self, claims: Sequence[Claim], hashes: Mapping[UUID, str]) -> set[UUID]:
        """Begins the lease of claims of one owner anew and keeps their password hashes; gives those still held."""
        with self._database.connection() as connection:
            rows = self._sql.renew(
                connection, ids=[claim.request_id for claim in claims], owner=claims[0].owner, lease=CLAIM_LEASE,
                hashed_ids=list(hashes), hashes=list(hashes.values()),
            )  # fmt: skip
            return {row.id for row in rows}

    def fail(self, claims: Sequence[Claim], failure: Failure, *, answer_now: bool) -> dict[UUID, RequestStatus]:
        """Notes that the attempt of these claims (of one owner) failed; gives the state each came to, and nothing for
        those whose claim was lost meanwhile."""
        asked = {
            "ids": [claim.request_id for claim in claims],
            "owner": claims[0].owner,
            "error": failure.reason,
            "cause": failure.cause,
            "max_attempts": self._rules.max_attempts,
            "answer_now": answer_now,
        }
        with self._database.transaction() as connection:
            if failure.passing:
                failures = 1 + max(claim.passing_failures for claim in claims)
                pause = self._rules.pause_after_passing(failures, failure.retry_after)
                rows = list(self._sql.put_off(connection, **asked, pause=pause, at_most=PASSING_AT_MOST))
            else:
                pause = self._rules.pause_after(max(claim.attempts for claim in claims))
                rows = list(self._sql.fail(connection, **asked, pause=pause))
            self._record_failed(connection, rows, failure.reason)
        return {row.id: RequestStatus(row.status) for row in rows}

    def give_up(self, exhausted: Sequence[UUID]) -> int:
        """Ends those of these that are still due and have no attempt left; returns how many."""
        with self._database.transaction() as connection:
            rows = list(
                self._sql.give_up(
                    connection,
                    ids=list(exhausted),
                    error=ABANDONED,
                    cause=FailureCause.WORKER_DIED,
                    max_attempts=self._rules.max_attempts,
                )
            )
            for row in rows:
                self._on_failed(connection, row.id, row.attempts, ABANDONED)
        return len(rows)

    def _record_failed(self, connection: Connection, rows: Sequence[Any], reason: str) -> None:
        for row in rows:
            if row.status == RequestStatus.FAILED:
                self._on_failed(connection, row.id, row.attempts, reason)


def _claim(row: Any, owner: str) -> Claim:
    return Claim(
        row.id, owner, row.attempts, row.passing_failures, row.email, row.full_name, row.sealed_password,
        row.password_hash, row.staff_id,
    )  # fmt: skip
