"""The rows of customers in PostgreSQL: made for a set of claimed requests by one statement (`customer_store.sql`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import current_address
from tripwire_shared.answers.vocabulary import Check, RequestStatus
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.provisioning.customer_rules import PASSED, REFUSALS
from tripwire_shared.requests.request import Claim
from tripwire_shared.timings import INVITATION_TTL

REFUSED = "Already a customer, nothing created"


@dataclass(frozen=True)
class Made:
    """What became of a request: `status` provisioned (then with its auth user) or duplicate; None where no auth user
    could be made or found."""

    status: RequestStatus | None
    user_id: UUID | None


class CustomerStore:
    """Raises DatabaseUnavailable; psycopg2's errors where a constraint or a trigger refused."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def provision(self, claims: Sequence[Claim], *, makes_auth_users: bool, answer_now: bool) -> dict[UUID, Made]:
        """Makes the customers of claims of one owner, with all that belongs to them, in one statement that is its own
        transaction. Those whose claim was lost are not in the answer. `makes_auth_users`: no other server does that."""
        with self._database.connection() as connection:
            rows: list[Any] = list(
                self._sql.provision(
                    connection,
                    ids=[claim.request_id for claim in claims],
                    owner=claims[0].owner,
                    makes_auth_users=makes_auth_users,
                    answer_now=answer_now,
                    action=Action.CUSTOMER_CREATED,
                    address=current_address(),
                    invitation_ttl=INVITATION_TTL,
                    passed=PASSED,
                    auth_user=REFUSALS[Check.AUTH_USER],
                    customer=REFUSALS[Check.CUSTOMER],
                    refused_message=REFUSED,
                )
            )
        return {row.id: Made(RequestStatus(row.status) if row.status else None, row.user_id) for row in rows}

    def set_password(self, connection: Connection, user_id: UUID, password_hash: str) -> None:
        """The password that a customer chose, in the caller's transaction."""
        self._sql.set_password(connection, user_id=user_id, password_hash=password_hash)
