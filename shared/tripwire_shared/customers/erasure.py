"""Erasing a customer's personal data: e-mail, name and password go from every table, the sale and the figures stay.

Afterwards the address is free: the same person may become a customer again, as somebody new.
"""

from uuid import UUID

from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.customers.customer import ERASED_NAME, erased_email
from tripwire_shared.errors import NotFound
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.provisioning.identity import IdentityProvider
from tripwire_shared.provisioning.invitation import Invitations

CLOSED = "The customer was erased."


class Erasure:
    def __init__(
        self,
        database: Database,
        identity: IdentityProvider,
        invitations: Invitations,
        outbox: Outbox,
        activity: ActivityLog,
    ) -> None:
        self._database, self._identity, self._invitations = database, identity, invitations
        self._outbox, self._activity = outbox, activity
        self._sql = load_queries(__file__)

    def erase(self, user_id: UUID, by: UUID) -> None:
        """Erases, or finishes what an earlier call began; erased already: nothing happens.

        Raises NotFound, IdentityProviderUnavailable, DatabaseUnavailable.
        """
        found = self._database.read(lambda connection: self._sql.find(connection, user_id=user_id))
        if found is None:
            raise NotFound("There is no such customer.")
        if found.erased:
            return
        placeholder = erased_email(user_id)
        self._identity.forget(user_id, placeholder)  # another server: before the transaction, and repeatable
        with self._database.transaction() as connection:
            # All requests with this address: the one that made the customer, and those that failed or came too late.
            # They share the placeholder, so that none of them can be retried into a customer without a name.
            self._sql.lock_requests(connection, user_id=user_id)
            self._sql.erase_requests(connection, user_id=user_id, email=placeholder, full_name=ERASED_NAME)
            self._invitations.revoke(connection, user_id)
            self._sql.erase_auth_user(connection, user_id=user_id, email=placeholder)
            erased = self._sql.erase_customer(connection, user_id=user_id, email=placeholder, full_name=ERASED_NAME)
            if erased is None:
                return  # another call was faster, and wrote the log
            self._activity.write(connection, Action.CUSTOMER_ERASED, by, user_id=user_id, request_id=erased.request_id)
            self._outbox.close_mails(connection, request_id=erased.request_id, reason=CLOSED)
