"""Customers as staff look for them. The statements stand in `customer_list.sql`."""

from typing import Any
from uuid import UUID

from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.customers import Customer, CustomerPage, Sale
from tripwire_shared.answers.staff import StaffName
from tripwire_shared.answers.vocabulary import CustomerStatus
from tripwire_shared.customers.customer import CustomerFilter
from tripwire_shared.email_address import readable_email
from tripwire_shared.errors import NotFound
from tripwire_shared.paging import page_of, read_cursor
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.search_text import containing, searched


class CustomerList:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def page(self, wanted: CustomerFilter, limit: int, cursor: str | None) -> CustomerPage:
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
        page = page_of(rows, limit, position, lambda row: (row.created_at, row.user_id))
        counts = dict.fromkeys(CustomerStatus, 0) | {CustomerStatus(row.status): row.customers for row in counted}
        return CustomerPage(
            users=tuple(_customer(row) for row in page.items),
            total=sum(counts.values()) if wanted.status is None else counts[wanted.status],
            counts=counts,
            next_cursor=page.next_cursor,
            previous_cursor=page.previous_cursor,
        )

    def get(self, user_id: UUID, only_staff: UUID | None = None) -> Customer:
        """Raises NotFound, also where it is another manager's."""
        return _customer(self._row(user_id, only_staff))

    def with_sale(self, user_id: UUID, only_staff: UUID | None) -> tuple[Customer, Sale]:
        """Raises NotFound as above."""
        row = self._row(user_id, only_staff)
        return _customer(row), Sale(id=row.sale_id, amount=row.price, currency=row.currency, created_at=row.sold_at)

    def _row(self, user_id: UUID, only_staff: UUID | None) -> Any:
        row = self._database.read(
            lambda connection: self._sql.find_customer(connection, user_id=user_id, only_staff=only_staff)
        )
        if row is None:
            raise NotFound("There is no such customer.")
        return row


def _customer(row: Any) -> Customer:
    manager = StaffName.of(row.manager_id, row.manager_email, row.manager_name)
    return from_row(Customer, row, email=readable_email(row.email), manager=manager)
