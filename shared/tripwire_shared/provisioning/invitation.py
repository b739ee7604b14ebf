"""Invitations: the one-time link on which a customer sets a password. Derived by HMAC; nothing secret is stored."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from tripwire_shared.errors import Conflict, NotFound
from tripwire_shared.keys import Signer
from tripwire_shared.passwords import PasswordHasher
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.provisioning.customer_store import CustomerStore
from tripwire_shared.timings import INVITATION_TTL


class InvitationState(StrEnum):
    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Invitation:
    id: UUID
    user_id: UUID
    state: InvitationState


class InvitationOver(Conflict):
    """This link was used already, has expired, or was replaced by a newer one."""


class Invitations:
    def __init__(
        self, database: Database, customers: CustomerStore, hasher: PasswordHasher, signer: Signer, link_prefix: str
    ) -> None:
        self._database, self._customers, self._hasher = database, customers, hasher
        self._signer, self._link_prefix = signer, link_prefix
        self._sql = load_queries(__file__)

    def create(self, connection: Connection, user_id: UUID) -> UUID:
        """A customer's first invitation, in the caller's transaction."""
        invitation_id = uuid4()
        self._sql.insert_invitation(connection, id=invitation_id, user_id=user_id, ttl=INVITATION_TTL)
        return invitation_id

    def replace(self, connection: Connection, user_id: UUID) -> UUID:
        """A new invitation in the caller's transaction; the customer's earlier ones die."""
        self.revoke(connection, user_id)
        return self.create(connection, user_id)

    def end_of(self, connection: Connection, invitation_id: UUID) -> datetime:
        """Until when it can be used, unless it is used or replaced before."""
        end: datetime = self._sql.end_of(connection, id=invitation_id)
        return end

    def revoke(self, connection: Connection, user_id: UUID) -> None:
        """The customer's links die, in the caller's transaction."""
        self._sql.revoke_open(connection, user_id=user_id)

    def link(self, invitation_id: UUID) -> str:
        """The address that goes into the mail. Derived when it is needed, never stored or logged."""
        signature = base64.urlsafe_b64encode(self._signer.sign(invitation_id.bytes)).decode().rstrip("=")
        return f"{self._link_prefix}/invitations/{invitation_id}.{signature}"

    def open(self, token: str) -> Invitation:
        """What the link's last part stands for. Raises NotFound where we did not make it."""
        invitation_id = self._verified(token)
        row = self._database.read(lambda connection: self._sql.find_invitation(connection, id=invitation_id))
        if row is None:
            raise NotFound("This link is not valid.")
        if row.used_at is not None:
            state = InvitationState.USED
        elif row.revoked_at is not None:
            state = InvitationState.REVOKED
        else:
            state = InvitationState.EXPIRED if row.expired else InvitationState.OPEN
        return Invitation(row.id, row.user_id, state)

    def consume(self, token: str, password: str) -> None:
        """Sets the customer's password, once. Raises NotFound or InvitationOver."""
        invitation = self.open(token)
        if invitation.state is not InvitationState.OPEN:
            raise InvitationOver
        password_hash = self._hasher.hash(password)  # long, so before the transaction
        with self._database.transaction() as connection:
            if self._sql.use_invitation(connection, id=invitation.id) is None:
                raise InvitationOver
            self._customers.set_password(connection, invitation.user_id, password_hash)

    def _verified(self, token: str) -> UUID:
        head, _, tail = token.partition(".")
        try:
            invitation_id = UUID(head)
            signature = base64.urlsafe_b64decode(tail + "=" * (-len(tail) % 4))
        except (ValueError, binascii.Error):
            raise NotFound("This link is not valid.") from None
        if not self._signer.verify(invitation_id.bytes, signature):
            raise NotFound("This link is not valid.")
        return invitation_id
