"""Requests in PostgreSQL. The statements stand in `request_store.sql`; this file gives them types and transactions."""

import base64
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg2.errors

from tripwire_shared.database import Connection, Database
from tripwire_shared.errors import ConnectionLost, InvalidFields, NotFound
from tripwire_shared.intake.request_states import (
    Claim,
    EmailTaken,
    NotFailed,
    Request,
    RequestMode,
    RequestStatus,
    Step,
    Wish,
    backoff_seconds,
)
from tripwire_shared.sql import load_queries
from tripwire_shared.timings import CLAIM_LEASE, KEY_ABANDONED_AFTER

ABANDONED = "Its last attempt ended without a word: the process that worked on it died or hung."


@dataclass(frozen=True)
class NewRequest:
    """A wish on its way into the table. `answer` is what its key replays so far: 202, or None until known."""

    id: UUID
    wish: Wish
    sealed_password: str | None
    staff_id: UUID
    mode: RequestMode
    answer: int | None
    key: str | None
    fingerprint: bytes | None


@dataclass(frozen=True)
class Rival:
    """The request that has the key or the e-mail."""

    id: UUID
    email: str
    status: RequestStatus
    mode: RequestMode
    answer: int | None
    user_id: UUID | None
    staff_id: UUID
    fingerprint: bytes | None
    same_key: bool
    abandoned: bool


@dataclass(frozen=True)
class RequestFilter:
    """What a list shows. `only_staff`: a manager's own; `q`: part of an e-mail or name."""

    only_staff: UUID | None = None
    status: RequestStatus | None = None
    q: str | None = None
    ids: tuple[UUID, ...] | None = None


@dataclass(frozen=True)
class RequestPage:
    requests: list[Request]
    total: int
    next_cursor: str | None


@dataclass(frozen=True)
class RequestCounts:
    accepted_unfinished: int
    provisioned_24h: int
    failed_24h: int
    oldest_accepted_seconds: float | None


@dataclass(frozen=True)
class AttemptRules:
    """How often and how fast a request is tried: settings of the process."""

    max_attempts: int
    backoff_base: float
    head_start: float


class RequestStore:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, rules: AttemptRules) -> None:
        self._database, self._rules = database, rules
        self._sql = load_queries(__file__)

    def accept(self, new: NewRequest) -> bool:
        """Stores the request in one round trip; False where somebody has the e-mail or the key.

        Where the connection broke under way it is sent once more: with the same id this cannot store it twice, and
        `find_rival` then finds this very request.
        """
        try:
            return self._insert(new)
        except ConnectionLost:
            return self._insert(new)

    def _insert(self, new: NewRequest) -> bool:
        with self._database.connection() as connection:
            row = self._sql.accept(
                connection,
                id=new.id,
                email=new.wish.email,
                full_name=new.wish.full_name,
                sealed_password=new.sealed_password,
                price=new.wish.price,
                currency=new.wish.currency,
                staff_id=new.staff_id,
                mode=new.mode,
                answer=new.answer,
                key=new.key,
                fingerprint=new.fingerprint,
                head_start=self._rules.head_start,
            )
        return row is not None

    def find_rival(self, new: NewRequest) -> Rival | None:
        row = self._database.read(
            lambda connection: self._sql.find_rival(
                connection,
                id=new.id,
                email=new.wish.email,
                staff_id=new.staff_id,
                key=new.key,
                abandoned_after=KEY_ABANDONED_AFTER,
            )
        )
        if row is None:
            return None
        fingerprint = None if row.fingerprint is None else bytes(row.fingerprint)
        return Rival(
            row.id, row.email, RequestStatus(row.status), RequestMode(row.mode), row.answer, row.user_id, row.staff_id,
            fingerprint, row.same_key, row.abandoned,
        )  # fmt: skip

    def find_auth_user(self, email: str) -> UUID | None:
        found: UUID | None = self._database.read(lambda connection: self._sql.find_auth_user(connection, email=email))
        return found

    def settle_answer(self, request_id: UUID, answer: int) -> None:
        with self._database.connection() as connection:
            self._sql.settle_answer(connection, id=request_id, answer=answer)

    def free_key(self, request_id: UUID) -> None:
        with self._database.connection() as connection:
            self._sql.free_key(connection, id=request_id)

    def is_due(self, request_id: UUID) -> bool:
        return bool(self._database.read(lambda connection: self._sql.is_due(connection, id=request_id)))

    def claim(self, request_id: UUID, *, door: str, fast_lane: bool, fallback: bool) -> Claim | None:
        """Takes the request for one attempt; None where another has it, it is finished, or not due."""
        owner = _new_owner()
        with self._database.connection() as connection:
            row = self._sql.claim(
                connection, id=request_id, owner=owner, lease=CLAIM_LEASE, max_attempts=self._rules.max_attempts,
                fast_lane=fast_lane, fallback=fallback, door=door,
            )  # fmt: skip
        return None if row is None else _claim(row, owner)

    def claim_due(self, batch: int, *, door: str) -> list[Claim]:
        """The sweep's: takes up to `batch` requests that are due and nobody holds."""
        owner = _new_owner()
        with self._database.connection() as connection:
            rows = self._sql.claim_due(
                connection,
                owner=owner,
                lease=CLAIM_LEASE,
                max_attempts=self._rules.max_attempts,
                batch=batch,
                door=door,
            )
            return [_claim(row, owner) for row in rows]

    def anything_to_take(self, *, beyond: int) -> bool:
        """Whether more than `beyond` requests are due and can be taken."""
        with self._database.connection() as connection:
            return bool(self._sql.anything_to_take(connection, max_attempts=self._rules.max_attempts, beyond=beyond))

    def give_up_exhausted(self, batch: int, on_failed: Callable[[Connection, UUID, int, str], None]) -> int:
        """Ends due requests that have no attempt left; `on_failed` records each in the same transaction."""
        with self._database.transaction() as connection:
            rows = list(self._sql.exhausted(connection, max_attempts=self._rules.max_attempts, batch=batch))
            for row in rows:
                self._sql.give_up(connection, id=row.id, error=ABANDONED)
                on_failed(connection, row.id, row.attempts, ABANDONED)
        return len(rows)

    def next_due_in(self) -> float | None:
        """Seconds until the next request is due (negative: overdue); None where none waits."""
        seconds: float | None = self._database.read(self._sql.next_due_in)
        return seconds

    def lock_claimed(self, connection: Connection, claim: Claim) -> bool:
        return bool(self._sql.lock_claimed(connection, id=claim.request_id, owner=claim.owner))

    def finish(
        self, connection: Connection, claim: Claim, status: RequestStatus, *, user_id: UUID | None, answer_now: bool,
        detail: str,
    ) -> None:  # fmt: skip
        self._sql.finish(
            connection, id=claim.request_id, owner=claim.owner, status=status, user_id=user_id, answer_now=answer_now,
            detail=detail, error=detail if status is RequestStatus.DUPLICATE else None,
        )  # fmt: skip

    def fail(self, connection: Connection, claim: Claim, error: str, *, answer_now: bool) -> RequestStatus | None:
        """Notes a failed attempt; gives the state it led to, None where the claim was lost meanwhile."""
        row = self._sql.fail(
            connection, id=claim.request_id, owner=claim.owner, error=error, max_attempts=self._rules.max_attempts,
            backoff=backoff_seconds(self._rules.backoff_base, claim.attempts), answer_now=answer_now,
        )  # fmt: skip
        return None if row is None else RequestStatus(row.status)

    def retry(self, request_id: UUID, staff_id: UUID) -> None:
        """Takes a failed request up again. Raises NotFound, NotFailed, or EmailTaken."""
        try:
            with self._database.connection() as connection:
                if self._sql.retry(connection, id=request_id, staff_id=staff_id):
                    return
        except psycopg2.errors.UniqueViolation:
            raise EmailTaken from None
        self.get(request_id)
        raise NotFailed

    def get(self, request_id: UUID, only_staff: UUID | None = None) -> Request:
        """Raises NotFound, also where it is another manager's."""
        row = self._database.read(lambda connection: self._sql.get(connection, id=request_id, only_staff=only_staff))
        if row is None:
            raise NotFound("There is no such request.")
        return _request(row)

    def steps(self, request: Request) -> list[Step]:
        rows = self._database.read(lambda connection: list(self._sql.steps(connection, id=request.id)))
        return [Step("accepted", request.accepted_at, None), *(Step(row.step, row.at, row.detail) for row in rows)]

    def page(self, wanted: RequestFilter, limit: int, cursor: str | None) -> RequestPage:
        """Newest first. Raises InvalidFields for a cursor that is not ours."""
        after_at, after_id = _read_cursor(cursor) if cursor else (None, None)
        matching = {
            "only_staff": wanted.only_staff,
            "status": wanted.status,
            "ids": None if wanted.ids is None else list(wanted.ids),
            "pattern": _pattern(wanted.q) if wanted.q else None,
        }

        def query(connection: Connection) -> tuple[list[Any], int]:
            rows = self._sql.list_requests(
                connection, **matching, after_at=after_at, after_id=after_id, limit=limit + 1
            )
            return list(rows), self._sql.count_requests(connection, **matching)

        rows, total = self._database.read(query)
        requests = [_request(row) for row in rows[:limit]]
        more = len(rows) > limit
        return RequestPage(requests, total, _write_cursor(requests[-1]) if more else None)

    def counts(self) -> RequestCounts:
        row = self._database.read(self._sql.request_counts)
        return RequestCounts(row.accepted_unfinished, row.provisioned_24h, row.failed_24h, row.oldest_accepted_seconds)


def _new_owner() -> str:
    """Unique for each claim, and readable: who had it."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:12]}"


def _claim(row: Any, owner: str) -> Claim:
    return Claim(
        row.id,
        owner,
        row.attempts,
        row.email,
        row.full_name,
        row.sealed_password,
        row.price,
        row.currency,
        row.staff_id,
    )


def _request(row: Any) -> Request:
    return Request(
        row.id, row.email, row.full_name, RequestStatus(row.status), RequestMode(row.mode), row.attempts, row.error,
        row.user_id, row.staff_id, row.accepted_at, row.finished_at, row.welcome_email,
    )  # fmt: skip


def _pattern(part: str) -> str:
    """Matches `part` anywhere, with LIKE's own signs taken literally (`_` and `%` stand in many addresses)."""
    escaped = part.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _write_cursor(last: Request) -> str:
    return base64.urlsafe_b64encode(f"{last.accepted_at.isoformat()}|{last.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, request_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return datetime.fromisoformat(at), UUID(request_id)
    except ValueError:
        raise InvalidFields({"cursor": ["Is not a cursor that a list gave."]}) from None
