"""Requests as staff look for them, and the retry of all that match. The statements stand in `request_list.sql`; those
that move a request stand in `request_store.sql` alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from tripwire_shared.errors import NotFound
from tripwire_shared.paging import Page, page_of, read_cursor
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.requests.request import ListedRequest, RequestFilter, RequestMode, RequestStatus, Step
from tripwire_shared.requests.request_store import RequestStore
from tripwire_shared.search_text import containing, searched
from tripwire_shared.staff.staff import StaffName

# One call of a retry of all that match; whoever asked sees how it goes, and asks again.
RETRIED_AT_ONCE = 100
Counts = dict[RequestStatus, int]


@dataclass(frozen=True)
class Retried:
    """`refused`: those that match and whose e-mail somebody has; `remaining`: those that another call can take up."""

    retried: int
    refused: int
    remaining: int


class RequestList:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, store: RequestStore) -> None:
        self._database, self._store = database, store
        self._sql = load_queries(__file__)

    def get(self, request_id: UUID, only_staff: UUID | None = None) -> ListedRequest:
        """Raises NotFound, also where it is another manager's."""
        row = self._database.read(
            lambda connection: self._sql.find_request(connection, id=request_id, only_staff=only_staff)
        )
        if row is None:
            raise NotFound("There is no such request.")
        return _request(row)

    def finished_among(self, request_ids: Sequence[UUID]) -> set[UUID]:
        """Those that are finished."""
        rows = self._database.read(lambda connection: list(self._sql.finished_among(connection, ids=list(request_ids))))
        return {row.id for row in rows}

    def steps(self, request: ListedRequest) -> list[Step]:
        rows = self._database.read(lambda connection: list(self._sql.steps(connection, id=request.id)))
        return [Step("accepted", request.accepted_at, None), *(Step(row.step, row.at, row.detail) for row in rows)]

    def page(self, wanted: RequestFilter, limit: int, cursor: str | None = None) -> tuple[Page[ListedRequest], Counts]:
        """Newest first, and how many match in each status whatever `wanted.status` says.

        Raises InvalidFields for a cursor that is not ours.
        """
        position = read_cursor(cursor)
        matching = _matching(wanted)

        def query(connection: Connection) -> tuple[list[Any], Counts]:
            rows = self._sql.list_requests(
                connection, **matching, status=wanted.status, newer=position.newer, at=position.at, id=position.id,
                limit=limit + 1,
            )  # fmt: skip
            return list(rows), self._counts(connection, matching)

        rows, counts = self._database.read(query)
        found = [_request(row) for row in rows]
        return page_of(found, limit, position, lambda request: (request.accepted_at, request.id)), counts

    def retry_matching(self, wanted: RequestFilter, staff_id: UUID) -> Retried:
        """Takes up to RETRIED_AT_ONCE of the failed requests that match up again, the newest first.

        Raises EmailTaken where somebody keeps coming in with the same addresses meanwhile.
        """
        retriable = replace(wanted, status=RequestStatus.FAILED, retriable=True)
        page, _ = self.page(retriable, RETRIED_AT_ONCE)
        retried = self._store.retry_all([found.id for found in page.items], staff_id) if page.items else 0

        def query(connection: Connection) -> tuple[int, int]:
            failed = self._counts(connection, _matching(retriable))[RequestStatus.FAILED]
            return failed, self._sql.count_retriable(connection, **_matching(retriable))

        failed, remaining = self._database.read(query)
        return Retried(retried, failed - remaining, remaining)

    def _counts(self, connection: Connection, matching: dict[str, Any]) -> Counts:
        row = self._sql.count_requests(connection, **matching)
        return {
            RequestStatus.ACCEPTED: row.accepted,
            RequestStatus.PROVISIONED: row.total - row.accepted - row.duplicate - row.failed,
            RequestStatus.DUPLICATE: row.duplicate,
            RequestStatus.FAILED: row.failed,
        }


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
        "retriable": wanted.retriable,
    }


def _request(row: Any) -> ListedRequest:
    return ListedRequest(
        row.id, row.email, row.full_name, RequestStatus(row.status), RequestMode(row.mode), row.attempts, row.error,
        row.user_id, row.staff_id, row.accepted_at, row.finished_at, row.welcome_email,
        StaffName(row.staff_id, row.manager_email, row.manager_name), row.price, row.currency, row.due_at,
    )  # fmt: skip
