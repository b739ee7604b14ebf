"""Figures of what was sold. The statements stand in `sales_figures.sql`."""

from uuid import UUID

from msgspec.structs import asdict

from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.sales import Day, OwnStats, Place, Stats
from tripwire_shared.answers.staff import StaffName
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries


class SalesFigures:
    """`only_staff`: a manager's own figures; None: everybody's. Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def stats(self, only_staff: UUID | None) -> Stats:
        def query(connection: Connection) -> Stats:
            customers = self._sql.customer_figures(connection, only_staff=only_staff)
            revenue = self._sql.revenue_figures(connection, only_staff=only_staff)
            return from_row(Stats, customers, **revenue._asdict())

        return self._database.read(query)

    def own_stats(self, staff_id: UUID) -> OwnStats:
        """With the place on the leaderboard."""
        board = self.leaderboard()
        place = next((line.place for line in board if line.manager.id == staff_id), None)
        return OwnStats(**asdict(self.stats(staff_id)), place=place, of=len(board))

    def leaderboard(self) -> tuple[Place, ...]:
        """Managers by revenue."""
        rows = self._database.read(lambda connection: list(self._sql.leaderboard(connection)))
        return tuple(
            from_row(Place, row, manager=StaffName.of(row.manager_id, row.email, row.full_name)) for row in rows
        )

    def by_day(self, days: int, only_staff: UUID | None) -> tuple[Day, ...]:
        """Oldest first, today last."""
        rows = self._database.read(
            lambda connection: list(self._sql.sales_by_day(connection, days=days, only_staff=only_staff))
        )
        return tuple(from_row(Day, row) for row in rows)
