"""Figures of what was sold, and the activity log, as the API shows them. The statements stand in `sales_store.sql`."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tripwire_shared.activity.activity import Action
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.staff.staff import StaffName


@dataclass(frozen=True)
class Stats:
    total_customers: int
    active: int
    inactive: int
    completed: int
    blocked: int
    this_week: int
    this_month: int
    total_revenue: int
    revenue_this_month: int
    currency: str | None


@dataclass(frozen=True)
class Place:
    """A line of the leaderboard; `this_month`: customers."""

    place: int
    manager: StaffName
    customers: int
    revenue: int
    this_month: int
    currency: str | None


@dataclass(frozen=True)
class Day:
    date: date
    customers: int
    revenue: int


@dataclass(frozen=True)
class ActivityFilter:
    """`only_staff`: a manager's own."""

    only_staff: UUID | None = None
    staff_id: UUID | None = None
    action: Action | None = None
    request_id: UUID | None = None


@dataclass(frozen=True)
class Deed:
    """An entry of the activity log."""

    id: int
    at: datetime
    staff: StaffName | None
    action: str
    user_id: UUID | None
    request_id: UUID | None
    detail: dict[str, Any]
    address: str | None


class SalesStore:
    """`only_staff`: a manager's own figures; None: everybody's. Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def stats(self, only_staff: UUID | None) -> Stats:
        def query(connection: Connection) -> Stats:
            customers = self._sql.customer_figures(connection, only_staff=only_staff)
            revenue = self._sql.revenue_figures(connection, only_staff=only_staff)
            return Stats(**customers._asdict(), **revenue._asdict())

        return self._database.read(query)

    def leaderboard(self) -> list[Place]:
        rows = self._database.read(lambda connection: list(self._sql.leaderboard(connection)))
        return [
            Place(
                row.place, StaffName(row.manager_id, row.email, row.full_name), row.customers, row.revenue,
                row.this_month, row.currency,
            )
            for row in rows
        ]  # fmt: skip

    def by_day(self, days: int, only_staff: UUID | None) -> list[Day]:
        """Oldest first, today last."""
        rows = self._database.read(
            lambda connection: list(self._sql.sales_by_day(connection, days=days, only_staff=only_staff))
        )
        return [Day(row.date, row.customers, row.revenue) for row in rows]

    def activity(self, wanted: ActivityFilter, limit: int, before: int | None = None) -> list[Deed]:
        """Newest first."""
        rows = self._database.read(
            lambda connection: list(
                self._sql.activity(
                    connection, only_staff=wanted.only_staff, staff_id=wanted.staff_id, action=wanted.action,
                    request_id=wanted.request_id, before=before, limit=limit,
                )
            )
        )  # fmt: skip
        return [_deed(row) for row in rows]


def _deed(row: Any) -> Deed:
    staff = None if row.staff_id is None else StaffName(row.staff_id, row.email, row.full_name)
    return Deed(row.id, row.at, staff, row.action, row.user_id, row.request_id, row.detail, row.address)
