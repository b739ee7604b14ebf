"""Rows that tests begin with, and what they look up."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from tests.resources import Resources
from tripwire_shared.postgres.database import Database


@dataclass(frozen=True)
class Provisioned:
    user_id: UUID
    request_id: UUID
    email: str
    invitation_id: UUID | None


def provisioned(
    resources: Resources,
    email: str = "anna@example.com",
    full_name: str = "Anna K.",
    *,
    own_password: bool = False,
    **request: Any,
) -> Provisioned:
    """A customer with her request and her waiting mail; `request` sets further columns of the request."""
    user_id, request_id, staff_id = uuid4(), uuid4(), uuid4()
    columns = {"mode": "async", "answer": 202, **request}
    with resources.database.transaction() as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO staff (id, email, full_name, role) VALUES (%s, %s, 'Dana', 'sales')",
            (staff_id, f"{staff_id}@example.com"),
        )
        cursor.execute(
            "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, answer,"
            " user_id, due_at, finished_at)"
            " VALUES (%s, %s, %s, 5000, 'KZT', %s, 'provisioned', %s, %s, %s, now(), now())",
            (request_id, email, full_name, staff_id, columns["mode"], columns["answer"], user_id),
        )
        cursor.execute("INSERT INTO auth.users (id, email) VALUES (%s, %s)", (user_id, email))
        cursor.execute(
            "INSERT INTO tripwire_users (id, user_id, request_id, email, full_name, granted_by)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (uuid4(), user_id, request_id, email, full_name, staff_id),
        )
        invitation_id = None if own_password else resources.invitations.create(connection, user_id)
        resources.outbox.put_mail(connection, user_id=user_id, request_id=request_id, invitation_id=invitation_id)
    return Provisioned(user_id, request_id, email, invitation_id)


def rows(database: Database, query: str, *values: object) -> list[Any]:
    """What `query` gives, as named tuples; with a statement that gives nothing, an empty list."""
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall()) if cursor.description else []


def events(database: Database, type: str) -> list[Any]:
    return rows(database, "SELECT * FROM system_health_logs WHERE event_type = %s ORDER BY id", type)


def messages(database: Database, channel: str) -> list[Any]:
    """The outbox's rows, with `due_in` and `ready_in` in seconds."""
    return rows(
        database,
        "SELECT *, extract(epoch FROM due_at - now())::float8 AS due_in,"
        " extract(epoch FROM ready_at - now())::float8 AS ready_in FROM outbox WHERE channel = %s ORDER BY id",
        channel,
    )


def waiting_mails(resources: Resources, count: int) -> list[str]:
    """So many customers whose mails wait; gives their addresses, in the order of the mails."""
    return [provisioned(resources, f"customer{number}@example.com").email for number in range(count)]


def mail_states(database: Database) -> Counter[str]:
    return Counter(row.status for row in messages(database, "mail"))


def make_due(database: Database) -> None:
    """As if the pauses and leases of all waiting messages were over."""
    rows(database, "UPDATE outbox SET due_at = now() - interval '1 second', ready_at = ready_at - interval '1 hour'"
                   " WHERE status = 'pending'")  # fmt: skip


def as_if_a_minute_passed(database: Database) -> None:
    """Moves all alerts into the past, the waiting ones too."""
    rows(database, "UPDATE outbox SET created_at = created_at - interval '61 s', ready_at = ready_at - interval '61 s',"
                   " due_at = due_at - interval '61 s', finished_at = finished_at - interval '61 s'"
                   " WHERE channel = 'alert'")  # fmt: skip
