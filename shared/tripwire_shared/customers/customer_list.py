"""Customers as staff look for them. The statements stand in `customer_list.sql`."""

from typing import Any
from uuid import UUID

from tripwire_shared.customers.customer import Customer, CustomerFilter, CustomerStatus, Sale
from tripwire_shared.errors import NotFound
from tripwire_shared.paging import Page, page_of, read_cursor
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.search_text import containing, searched
from tripwire_shared.staff.staff import StaffName

Counts = dict[CustomerStatus, int]


class CustomerList:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def page(self, wanted: CustomerFilter, limit: int, cursor: str | None) -> tuple[Page[Customer], Counts]:
        """Newest first, and how many match in each status whatever `wanted.status` says.

        Raises InvalidFields for a cursor that is not ours.
        """
        position = read_cursor(cursor)
        matching = {
            "only_staff": wanted.only_staff,
            "manager_id": wanted.manager_id,
            "since": wanted.since,
            "until": wanted.until,
            "pattern": searched(wanted.q),
            "unfolded": containing(wanted.q),
        }

        def query(connection: Connection) -> tuple[list[Any], list[Any]]:
            rows = self._sql.list_customers(
                connection, **matching, status=wanted.status, newer=position.newer, at=position.at, id=position.id,
                limit=limit + 1,
            )  # fmt: skip
            return list(rows), list(self._sql.count_customers(connection, **matching))

        rows, counted = self._database.read(query)
        found = [_customer(row) for row in rows]
        page = page_of(found, limit, position, lambda customer: (customer.created_at, customer.user_id))
        counts = dict.fromkeys(CustomerStatus, 0)
        return page, counts | {CustomerStatus(row.status): row.customers for row in counted}

    def get(self, user_id: UUID, only_staff: UUID | None = None) -> Customer:
        """Raises NotFound, also where it is another manager's."""
        row = self._database.read(
            lambda connection: self._sql.find_customer(connection, user_id=user_id, only_staff=only_staff)
        )
        if row is None:
            raise NotFound("There is no such customer.")
        return _customer(row)


def _customer(row: Any) -> Customer:
    return Customer(
        row.user_id, row.email, row.full_name, CustomerStatus(row.status),
        StaffName(row.manager_id, row.manager_email, row.manager_name),
        Sale(row.sale_id, row.amount, row.currency, row.sold_at),
        row.created_at, row.request_id, row.welcome_email, row.erased,
    )  # fmt: skip
