"""The activity log as staff read it. The statements stand in `activity_list.sql`; `activity_log.py` writes it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tripwire_shared.activity.activity import Action
from tripwire_shared.answers.activity import ActivityEntry, ActivityPage
from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.staff import StaffName
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries


@dataclass(frozen=True)
class ActivityFilter:
    """`only_staff`: a manager's own."""

    only_staff: UUID | None = None
    staff_id: UUID | None = None
    action: Action | None = None
    request_id: UUID | None = None


class ActivityList:
    """Raises DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def page(self, wanted: ActivityFilter, limit: int, before: int | None = None) -> ActivityPage:
        """Newest first."""
        rows = self._rows(wanted, limit + 1, before)
        shown = rows[:limit]
        return ActivityPage(
            activity=tuple(_entry(row) for row in shown),
            actions=tuple(Action),
            next_before=shown[-1].id if len(rows) > len(shown) else None,
        )

    def of_request(self, request_id: UUID, at_most: int, reader: UUID | None) -> tuple[ActivityEntry, ...]:
        """What was done to a request's customer, newest first. `reader`: who reads it, where that is no admin: then
        from where others acted is left out."""
        rows = self._rows(ActivityFilter(request_id=request_id), at_most, None)
        return tuple(_entry(row, hide=reader is not None and row.staff_id != reader) for row in rows)

    def _rows(self, wanted: ActivityFilter, limit: int, before: int | None) -> list[Any]:
        return self._database.read(
            lambda connection: list(
                self._sql.activity(
                    connection, only_staff=wanted.only_staff, staff_id=wanted.staff_id, action=wanted.action,
                    request_id=wanted.request_id, before=before, limit=limit,
                )
            )
        )  # fmt: skip


def _entry(row: Any, *, hide: bool = False) -> ActivityEntry:
    staff = None if row.staff_id is None else StaffName.of(row.staff_id, row.email, row.full_name)
    return from_row(ActivityEntry, row, staff=staff, address=None if hide else row.address)
