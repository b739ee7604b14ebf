"""Figures of what was sold. The statements stand in `sales_figures.sql`."""

from collections import Counter
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from msgspec.structs import asdict

from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.sales import Chart, Day, OwnStats, Place, Revenue, Stats
from tripwire_shared.answers.staff import StaffName
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries


class SalesFigures:
    """`only_staff`: a manager's own figures; None: everybody's. `tz`: the time zone whose days, weeks and months they
    have. Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def stats(self, only_staff: UUID | None, tz: str) -> Stats:
        def query(connection: Connection) -> Stats:
            customers = self._sql.customer_figures(connection, only_staff=only_staff, tz=tz)
            rows = self._sql.revenues(connection, only_staff=only_staff, tz=tz)
            revenues = tuple(from_row(Revenue, row) for row in rows)
            first = revenues[0] if revenues else None
            return from_row(
                Stats,
                customers,
                total_revenue=first.total if first else 0,
                revenue_this_month=first.this_month if first else 0,
                currency=first.currency if first else None,
                revenues=tuple(asdict(revenue) for revenue in revenues),
            )

        return self._database.read(query)

    def own_stats(self, staff_id: UUID, tz: str) -> OwnStats:
        """With the place on the leaderboard."""
        board = self.leaderboard(tz)
        place = next((line.place for line in board if line.manager.id == staff_id), None)
        return OwnStats(**asdict(self.stats(staff_id, tz)), place=place, of=len(board))

    def leaderboard(self, tz: str) -> tuple[Place, ...]:
        """Managers by revenue, or by customers where they sell in several currencies."""
        rows = self._database.read(lambda connection: list(self._sql.leaderboard(connection, tz=tz)))
        return tuple(
            from_row(Place, row, manager=StaffName.of(row.manager_id, row.email, row.full_name)) for row in rows
        )

    def chart(self, period: str, days: int, only_staff: UUID | None, tz: str) -> Chart:
        """Oldest day first, today last."""
        rows = self._database.read(
            lambda connection: list(self._sql.sales_by_day(connection, days=days, only_staff=only_staff, tz=tz))
        )
        sold = Counter[str]()
        for row in rows:
            if row.currency is not None:
                sold[row.currency] += row.customers
        currency = min(sold, key=lambda name: (-sold[name], name), default=None)
        by_day = groupby(rows, attrgetter("date"))
        return Chart(
            period=period,
            time_zone=tz,
            currency=currency,
            days=tuple(_day(day, list(of), currency) for day, of in by_day),
        )


def _day(day: date, rows: list[Any], currency: str | None) -> Day:
    revenues = {row.currency: row.revenue for row in rows if row.currency is not None}
    customers = sum(row.customers for row in rows)
    return Day(date=day, customers=customers, revenue=revenues.get(currency, 0), revenues=revenues)
