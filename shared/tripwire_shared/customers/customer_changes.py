"""What staff may change of a customer: status, name, a new welcome mail or link. Erasing stands in `erasure.py`."""

import math
from uuid import UUID

from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.answers.customers import WelcomeLink
from tripwire_shared.answers.vocabulary import CustomerStatus
from tripwire_shared.customers.customer import CustomerErased, LinkTooSoon
from tripwire_shared.errors import NotFound
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.provisioning.invitation import Invitations
from tripwire_shared.timings import LINK_ASKED_EVERY

REPLACED = "A newer welcome mail was asked for."


class CustomerChanges:
    """Raises NotFound, also where it is another manager's; CustomerErased; DatabaseUnavailable."""

    def __init__(self, database: Database, activity: ActivityLog, invitations: Invitations, outbox: Outbox) -> None:
        self._database, self._activity, self._invitations, self._outbox = database, activity, invitations, outbox
        self._sql = load_queries(__file__)

    def change(
        self,
        user_id: UUID,
        by: UUID,
        *,
        status: CustomerStatus | None = None,
        full_name: str | None = None,
        only_staff: UUID | None = None,
    ) -> None:
        """Sets what is given, all or nothing; what is so already stays, without an entry in the activity log."""
        with self._database.transaction() as connection:
            # The request's lock first, as everywhere.
            request_id = self._sql.lock_request(connection, user_id=user_id, only_staff=only_staff)
            if request_id is None:
                raise NotFound("There is no such customer.")
            found = self._sql.lock_customer(connection, user_id=user_id)
            if found.erased:
                raise CustomerErased
            if full_name is not None and full_name != found.full_name:
                self._correct_name(connection, user_id, request_id, full_name, by)
            if status is not None and status != found.status:
                self._sql.set_status(connection, user_id=user_id, status=status)
                self._activity.write(
                    connection, Action.CUSTOMER_STATUS_CHANGED, by, user_id=user_id, request_id=request_id,
                    detail={"from": found.status, "to": status},
                )  # fmt: skip

    def _correct_name(self, connection: Connection, user_id: UUID, request_id: UUID, full_name: str, by: UUID) -> None:
        """Of the customer, the auth user and the request, so that each is found by it; a mail that still waits says the
        new one. The log says that it was done, never the name."""
        self._sql.set_name(connection, user_id=user_id, request_id=request_id, full_name=full_name)
        self._activity.write(connection, Action.CUSTOMER_RENAMED, by, user_id=user_id, request_id=request_id)

    def make_link(self, user_id: UUID, by: UUID, only_staff: UUID | None = None) -> WelcomeLink:
        """A new link to hand over; the old one dies. A mail that still waits takes the new link along: it would bring a
        dead one. Who is sending it just now can no longer say that it was sent, so it is sent again."""
        with self._database.transaction() as connection:
            request_id, invitation_id = self._new_link(connection, user_id, only_staff)
            self._activity.write(connection, Action.WELCOME_LINK_MADE, by, user_id=user_id, request_id=request_id)
            self._outbox.carry_new_link(connection, request_id=request_id, invitation_id=invitation_id)
            expires_at = self._invitations.end_of(connection, invitation_id)
        return WelcomeLink(link=self._invitations.link(invitation_id), expires_at=expires_at)

    def resend_welcome(self, user_id: UUID, by: UUID, only_staff: UUID | None = None) -> None:
        """A new mail with a new link, tried for a day like a first one; the old link and an unsent mail die at once.

        Also who was given a password gets a link: whoever asks for this cannot sign in, and another mail that says
        "use the password you know" would not help. That password holds until the customer chooses another.
        """
        with self._database.transaction() as connection:
            request_id, invitation_id = self._new_link(connection, user_id, only_staff)
            self._activity.write(connection, Action.WELCOME_MAIL_RESENT, by, user_id=user_id, request_id=request_id)
            self._outbox.close_mails(connection, request_id=request_id, reason=REPLACED)
            self._outbox.put_mail(connection, user_id=user_id, request_id=request_id, invitation_id=invitation_id)

    def _new_link(self, connection: Connection, user_id: UUID, only_staff: UUID | None) -> tuple[UUID, UUID]:
        """The request and a new invitation in place of the old ones. Every link that staff ask for is made here, so all
        of them together are at most one a minute for a customer: more would be a nuisance to the person, and kill links
        under their hands. The first one, which nobody asked for, does not count. Raises LinkTooSoon.
        """
        # The request's lock first, as everywhere: a second one at the same moment, or an erasure, waits here.
        request_id = self._sql.lock_request(connection, user_id=user_id, only_staff=only_staff)
        if request_id is None:
            raise NotFound("There is no such customer.")
        state = self._sql.link_state(connection, user_id=user_id, every=LINK_ASKED_EVERY)
        if state.erased:
            raise CustomerErased
        if state.seconds_left > 0:
            raise LinkTooSoon(math.ceil(state.seconds_left))
        invitation_id = self._invitations.replace(connection, user_id)
        self._sql.note_link_asked(connection, user_id=user_id)
        return request_id, invitation_id
