"""Requests as staff look for them, and the retry of all that match. The statements stand in `request_list.sql`; those
that move a request stand in `request_store.sql` alone."""

import dataclasses
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.requests import RequestItem, RequestPage, Retried, Step
from tripwire_shared.answers.staff import StaffName
from tripwire_shared.answers.vocabulary import RequestStatus
from tripwire_shared.email_address import readable_email
from tripwire_shared.errors import NotFound
from tripwire_shared.paging import page_of, read_cursor
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.requests.request import RequestFilter
from tripwire_shared.requests.request_store import RequestStore
from tripwire_shared.search_text import containing, searched

# One call of a retry of all that match; whoever asked sees how it goes, and asks again.
RETRIED_AT_ONCE = 100
Counts = dict[RequestStatus, int]


class RequestList:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, store: RequestStore, max_attempts: int) -> None:
        self._database, self._store, self._max_attempts = database, store, max_attempts
        self._sql = load_queries(__file__)

    def get(self, request_id: UUID, only_staff: UUID | None = None) -> RequestItem:
        """Without its steps. Raises NotFound, also where it is another manager's."""
        row = self._database.read(
            lambda connection: self._sql.find_request(connection, id=request_id, only_staff=only_staff)
        )
        if row is None:
            raise NotFound("There is no such request.")
        return self._item(row)

    def finished_among(self, request_ids: Sequence[UUID]) -> set[UUID]:
        """Those that are finished."""
        rows = self._database.read(lambda connection: list(self._sql.finished_among(connection, ids=list(request_ids))))
        return {row.id for row in rows}

    def with_steps(self, request: RequestItem) -> RequestItem:
        rows = self._database.read(lambda connection: list(self._sql.steps(connection, id=request.request_id)))
        accepted = Step(step="accepted", at=request.accepted_at, detail=None)
        return replace(request, steps=(accepted, *(from_row(Step, row) for row in rows)))

    def page(self, wanted: RequestFilter, limit: int, cursor: str | None = None) -> RequestPage:
        """Newest first. Raises InvalidFields for a cursor that is not ours."""
        position = read_cursor(cursor)
        matching = _matching(wanted)

        def query(connection: Connection) -> tuple[list[Any], Counts]:
            rows = self._sql.list_requests(
                connection, **matching, status=wanted.status, retriable=wanted.retriable, newer=position.newer,
                at=position.at, id=position.id, limit=limit + 1,
            )  # fmt: skip
            return list(rows), self._counts(connection, matching)

        rows, counts = self._database.read(query)
        page = page_of(rows, limit, position, lambda row: (row.accepted_at, row.request_id))
        return RequestPage(
            requests=tuple(self._item(row) for row in page.items),
            total=sum(counts.values()) if wanted.status is None else counts[wanted.status],
            counts=counts,
            next_cursor=page.next_cursor,
            previous_cursor=page.previous_cursor,
        )

    def retry_matching(self, wanted: RequestFilter, staff_id: UUID) -> Retried:
        """Retries up to RETRIED_AT_ONCE of the failed requests that match, the newest first.

        Raises EmailTaken where somebody keeps coming in with the same addresses meanwhile.
        """
        retriable = dataclasses.replace(wanted, status=RequestStatus.FAILED, retriable=True)
        found = self.page(retriable, RETRIED_AT_ONCE).requests
        retried = self._store.retry_all([request.request_id for request in found], staff_id) if found else 0

        def query(connection: Connection) -> tuple[int, int]:
            failed = self._counts(connection, _matching(retriable))[RequestStatus.FAILED]
            return failed, self._sql.count_retriable(connection, **_matching(retriable))

        failed, remaining = self._database.read(query)
        return Retried(retried=retried, refused=failed - remaining, remaining=remaining)

    def _counts(self, connection: Connection, matching: dict[str, Any]) -> Counts:
        row = self._sql.count_requests(connection, **matching)
        return {
            RequestStatus.ACCEPTED: row.accepted,
            RequestStatus.PROVISIONED: row.total - row.accepted - row.duplicate - row.failed,
            RequestStatus.DUPLICATE: row.duplicate,
            RequestStatus.FAILED: row.failed,
        }

    def _item(self, row: Any) -> RequestItem:
        manager = StaffName.of(row.manager_id, row.manager_email, row.manager_name)
        return from_row(
            RequestItem, row, email=readable_email(row.email), manager=manager, max_attempts=self._max_attempts
        )


def _matching(wanted: RequestFilter) -> dict[str, Any]:
    return {
        "only_staff": wanted.only_staff,
        "ids": None if wanted.ids is None else list(wanted.ids),
        "mode": wanted.mode,
        "manager_id": wanted.manager_id,
        "since": wanted.since,
        "until": wanted.until,
        "email": wanted.email,
        "pattern": searched(wanted.q),
        "unfolded": containing(wanted.q),
    }
