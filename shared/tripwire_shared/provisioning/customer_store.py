"""The rows of a customer in PostgreSQL. Everything here runs inside the caller's transaction."""

from uuid import UUID, uuid4

from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.database import Connection
from tripwire_shared.errors import Conflict
from tripwire_shared.provisioning.customer_rules import Existing
from tripwire_shared.requests.request import Claim
from tripwire_shared.sql import load_queries


class SomebodyWasFaster(Conflict):
    """Another transaction made the auth user or the customer between the checks and the insert."""


class CustomerStore:
    def __init__(self, activity: ActivityLog) -> None:
        self._activity = activity
        self._sql = load_queries(__file__)

    def find_existing(self, connection: Connection, claim: Claim, window: float) -> Existing:
        row = self._sql.find_existing(connection, email=claim.email, request_id=claim.request_id, window=window)
        return Existing(row.recent_user_id, row.auth_user_id, row.auth_made_by, row.customer_user_id)

    def insert_auth_user(self, connection: Connection, claim: Claim, password_hash: str | None) -> UUID:
        """Raises SomebodyWasFaster."""
        made: UUID | None = self._sql.insert_auth_user(
            connection,
            user_id=uuid4(),
            email=claim.email,
            password_hash=password_hash,
            app_metadata=app_metadata(claim),
            user_metadata={"full_name": claim.full_name},
        )
        if made is None:
            raise SomebodyWasFaster
        return made

    def insert_customer(self, connection: Connection, claim: Claim, user_id: UUID) -> None:
        """The customer and the sale. Raises SomebodyWasFaster."""
        made = self._sql.insert_customer(
            connection, id=uuid4(), sale_id=uuid4(), user_id=user_id, request_id=claim.request_id,
            staff_id=claim.staff_id, email=claim.email, full_name=claim.full_name, price=claim.price,
            currency=claim.currency,
        )  # fmt: skip
        if made is None:
            raise SomebodyWasFaster

    def note_created(self, connection: Connection, claim: Claim, user_id: UUID) -> None:
        """Their line in the activity log."""
        self._activity.write(
            connection, Action.CUSTOMER_CREATED, claim.staff_id, user_id=user_id, request_id=claim.request_id
        )

    def set_password(self, connection: Connection, user_id: UUID, password_hash: str) -> None:
        self._sql.set_password(connection, user_id=user_id, password_hash=password_hash)


def app_metadata(claim: Claim) -> dict[str, object]:
    """What marks an auth user as made by this request, so that a later attempt may resume with it."""
    return {"provider": "email", "providers": ["email"], "tripwire_request_id": str(claim.request_id)}
