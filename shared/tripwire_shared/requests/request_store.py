"""Requests in PostgreSQL. The statements stand in `request_store.sql`; this file gives them types and transactions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg2.errors

from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.answers.vocabulary import RequestMode, RequestStatus
from tripwire_shared.email_address import both_forms, readable_email
from tripwire_shared.errors import ConnectionLost, NotFound
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.requests.attempt_rules import AttemptRules
from tripwire_shared.requests.request import EmailTaken, NewCustomer, NotFailed, Request
from tripwire_shared.search_text import search_text
from tripwire_shared.timings import GROUP_LOCK_TIMEOUT_MS, KEY_ABANDONED_AFTER, LOCK_TIMEOUT_MS

RETRY_TRIES = 3


@dataclass(frozen=True)
class NewRequest:
    """A new request on its way into the table. `answer` is what its key replays so far: 202, or None until known."""

    id: UUID
    customer: NewCustomer
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


class RequestStore:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, rules: AttemptRules, activity: ActivityLog) -> None:
        self._database, self._rules, self._activity = database, rules, activity
        self._sql = load_queries(__file__)

    def accept(self, news: Sequence[NewRequest]) -> set[UUID]:
        """Stores the requests in one round trip; gives the ids of those stored. Of the others somebody has the e-mail
        or the key: perhaps one of the same group.

        Where the connection broke under way they are sent once more: with the same ids this cannot store any twice, and
        `find_rival` then finds that very request. Raises psycopg2's errors where a constraint refused one of them: then
        none is stored. Several wait for others' locks only for a moment: StatementEnded.
        """
        try:
            return self._insert(news)
        except ConnectionLost:
            return self._insert(news)

    def _insert(self, news: Sequence[NewRequest]) -> set[UUID]:
        with self._database.connection() as connection:
            rows = self._sql.accept(
                connection,
                news=json.dumps([_as_json(new) for new in news]),
                emails=[form for new in news for form in both_forms(new.customer.email)],
                head_start=self._rules.head_start,
                lock_timeout=str(LOCK_TIMEOUT_MS if len(news) == 1 else GROUP_LOCK_TIMEOUT_MS),
            )
            return {row.id for row in rows}

    def refuse_while_silent(self) -> None:
        """Raises DatabaseUnavailable at once where nobody hears anything from the database."""
        self._database.refuse_while_silent()

    def find_rival(self, new: NewRequest) -> Rival | None:
        row = self._database.read(
            lambda connection: self._sql.find_rival(
                connection,
                id=new.id,
                emails=both_forms(new.customer.email),
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
        found: UUID | None = self._database.read(
            lambda connection: self._sql.find_auth_user(connection, emails=both_forms(email))
        )
        return found

    def who_has(self, email: str) -> EmailTaken:
        """The refusal that says who has the address: a live request or its customer, or an auth user."""
        row = self._database.read(lambda connection: self._sql.find_live(connection, emails=both_forms(email)))
        if row is None:
            return EmailTaken(user_id=self.find_auth_user(email))
        return EmailTaken(None if row.user_id else row.id, row.user_id, row.staff_id)

    def settle_answer(self, request_id: UUID, answer: int) -> None:
        with self._database.connection() as connection:
            self._sql.settle_answer(connection, id=request_id, answer=answer)

    def note_answer(self, request_id: UUID, answer: int, mode: RequestMode) -> None:
        """What the caller is told, where it is not what the row says so far."""
        with self._database.connection() as connection:
            self._sql.note_answer(connection, id=request_id, answer=answer, mode=mode)

    def free_key(self, request_id: UUID) -> None:
        with self._database.connection() as connection:
            self._sql.free_key(connection, id=request_id)

    def retry(self, request_id: UUID, staff_id: UUID) -> None:
        """Takes a failed request up again. Raises NotFound, NotFailed, or EmailTaken."""
        if self.retry_all([request_id], staff_id):
            return
        found = self.get(request_id)
        if found.status is not RequestStatus.FAILED:
            raise NotFailed
        raise self.who_has(found.email)

    def retry_all(self, request_ids: list[UUID], staff_id: UUID) -> int:
        """Takes the failed ones of these up again, where nobody has their e-mail; returns how many."""
        for _ in range(RETRY_TRIES):
            try:
                with self._database.transaction() as connection:
                    retried = [row.id for row in self._sql.retry(connection, ids=request_ids, staff_id=staff_id)]
                    self._activity.write_for_requests(connection, Action.REQUEST_RETRIED, staff_id, retried)
                return len(retried)
            except psycopg2.errors.UniqueViolation:
                continue  # somebody came in with one of the addresses between our look and our update: look again
        raise EmailTaken

    def get(self, request_id: UUID, only_staff: UUID | None = None) -> Request:
        """Raises NotFound, also where it is another manager's."""
        row = self._database.read(lambda connection: self._sql.get(connection, id=request_id, only_staff=only_staff))
        if row is None:
            raise NotFound("There is no such request.")
        return _request(row)


def _as_json(new: NewRequest) -> dict[str, object]:
    """All of a set as one value: PostgreSQL plans that in less time than an array for each column."""
    customer = new.customer
    return {
        "id": str(new.id),
        "email": customer.email,
        "readable": None if (readable := readable_email(customer.email)) == customer.email else readable,
        "full_name": customer.full_name,
        "search_text": search_text(customer.full_name, customer.email),
        "sealed_password": new.sealed_password,
        "price": customer.price,
        "currency": customer.currency,
        "staff_id": str(new.staff_id),
        "mode": new.mode,
        "answer": new.answer,
        "key": new.key,
        "fingerprint": None if new.fingerprint is None else f"\\x{new.fingerprint.hex()}",
    }


def _request(row: Any) -> Request:
    return Request(
        row.id, row.email, row.full_name, RequestStatus(row.status), RequestMode(row.mode), row.attempts, row.error,
        row.user_id, row.staff_id, row.accepted_at, row.finished_at, row.welcome_email,
    )  # fmt: skip
