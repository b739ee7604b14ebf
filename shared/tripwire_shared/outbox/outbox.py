"""The outbox in PostgreSQL: what is to be sent is stored with what caused it, then delivered under a lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from tripwire_shared.lease_owner import new_owner
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.timings import (
    ALERT_LEASE,
    ALERT_SPACING,
    FAILED_REQUESTS_ALERT_WINDOW,
    MAIL_ANSWER_LEASE,
    MAIL_LEASE,
    MAIL_LONG_PATIENCE_IN_API,
)


class Channel(StrEnum):
    MAIL = "mail"
    ALERT = "alert"


@dataclass(frozen=True)
class Recipient:
    email: str
    full_name: str


@dataclass(frozen=True)
class Message:
    """A message leased for one delivery: until the lease ends nobody else has it. `attempts` counts this one;
    `unanswered`: so many before it were out and had no answer.

    `recipient` is a mail's; None where the customer was erased, or the link replaced by a newer one.
    """

    id: int
    channel: Channel
    owner: str
    user_id: UUID | None
    request_id: UUID | None
    invitation_id: UUID | None
    body: dict[str, Any]
    attempts: int
    unanswered: int
    created_at: datetime
    recipient: Recipient | None


@dataclass(frozen=True)
class Lease:
    """Messages leased by one owner; without any `due_in` says in how many seconds one can be (negative: overdue, but
    another's or left to others), None where none waits."""

    messages: list[Message]
    due_in: float | None


@dataclass(frozen=True)
class Waiting:
    mails: int
    alerts: int
    mail_failing: bool
    alerts_failing: bool


class Outbox:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_queries(__file__)

    def put_mail(self, connection: Connection, *, user_id: UUID, request_id: UUID, invitation_id: UUID | None) -> None:
        """A welcome mail, in the caller's transaction; without an invitation for who was given a password."""
        self._sql.put_mail(connection, user_id=user_id, request_id=request_id, invitation_id=invitation_id)

    def close_mails(self, connection: Connection, *, request_id: UUID, reason: str) -> None:
        """Whatever waits for this request is not sent any more; whoever has it leased can no longer say it was."""
        self._sql.close_mails(connection, request_id=request_id, reason=reason)

    def carry_new_link(self, connection: Connection, *, request_id: UUID, invitation_id: UUID) -> None:
        """Mails of this request that wait with a link get this one, and are due at once; whoever has one leased can no
        longer say it was sent."""
        self._sql.carry_new_link(connection, request_id=request_id, invitation_id=invitation_id)

    def put_alert(self, connection: Connection, body: dict[str, Any]) -> None:
        self._sql.put_alert(connection, body=body)

    def put_alert_merged(self, connection: Connection, body: dict[str, Any], kind: str) -> None:
        """The first alert of a kind goes out at once; further ones within a minute wait for its end, as one message.

        `body["details"]["requests"]` is how many the message speaks of.
        """
        body = {**body, "kind": kind, "details": {**body["details"], "requests": 1}}
        self._sql.lock_kind(connection, kind=kind)
        if self._sql.merged_recently(connection, kind=kind, window=FAILED_REQUESTS_ALERT_WINDOW):
            self._sql.put_merged_alert(connection, body=body, kind=kind, window=FAILED_REQUESTS_ALERT_WINDOW)
        else:
            self._sql.put_alert(connection, body=body)

    def lease(self, channel: Channel, *, at_most: int = 1, patience: float = 0.0, newest_first: bool = False) -> Lease:
        """The next messages of the channel that may be delivered now, `at_most` so many.

        Mails: those due longest. `patience`: only mails that have been due for so many seconds while nobody sent any.
        Alerts: strictly in order and at most one a second, hence never more than one.
        """
        owner = new_owner()
        with self._database.connection() as connection:
            if channel is Channel.MAIL:
                rows = self._sql.lease_mails(
                    connection, owner=owner, lease=MAIL_LEASE, at_most=at_most, newest_first=newest_first,
                    patience=patience, long_patience=MAIL_LONG_PATIENCE_IN_API,
                )  # fmt: skip
            else:
                rows = self._sql.lease_alert(connection, owner=owner, lease=ALERT_LEASE, spacing=ALERT_SPACING)
            found = list(rows)
        return Lease([_message(row, channel, owner) for row in found if row.id is not None], found[0].due_in)

    def mark_sent(self, messages: Sequence[Message]) -> None:
        """Delivered: messages of one lease, in one statement. Nothing for those whose lease was lost."""
        with self._database.connection() as connection:
            self._sql.mark_sent(connection, ids=[message.id for message in messages], owner=messages[0].owner)

    def still_leased(self, messages: Sequence[Message]) -> list[Message]:
        """Those messages of one lease that may still be delivered: not closed meanwhile, and nobody else's."""
        with self._database.connection() as connection:
            rows = self._sql.still_leased(connection, ids=[message.id for message in messages], owner=messages[0].owner)
            ours = {row.id for row in rows}
        return [message for message in messages if message.id in ours]

    def give_back(self, messages: Sequence[Message]) -> None:
        """Messages of one lease whose delivery was not begun: anybody may lease them at once."""
        with self._database.connection() as connection:
            self._sql.give_back(connection, ids=[message.id for message in messages], owner=messages[0].owner)

    def note_out(self, message: Message, failing: str | None = None) -> None:
        """A mail that is out and waits for its answer: counted as one without, until something else is known, and
        leased until it must have come. `failing`: what is wrong meanwhile. Nothing where the lease was lost."""
        with self._database.connection() as connection:
            self._sql.note_out(
                connection, id=message.id, owner=message.owner, unanswered=message.unanswered + 1,
                lease=MAIL_ANSWER_LEASE, failing=failing,
            )  # fmt: skip

    def put_off(self, message: Message, pause: float, error: str, *, unanswered: bool = False) -> None:
        """Not delivered, or not known to be: again after `pause` seconds. Nothing where the lease was lost."""
        with self._database.connection() as connection:
            self._sql.put_off(
                connection, id=message.id, owner=message.owner, pause=pause, error=error,
                unanswered=message.unanswered + unanswered, attempt=message.attempts,
            )  # fmt: skip

    def give_up(self, message: Message, error: str) -> bool:
        """Not delivered and not tried again; False where the lease was lost."""
        with self._database.connection() as connection:
            return bool(self._sql.give_up(connection, id=message.id, owner=message.owner, error=error))

    def tell_mails(self) -> None:
        """Wakes the deliverers of all processes."""
        with self._database.connection() as connection:
            self._sql.tell_mails(connection)

    def waiting(self) -> Waiting:
        row = self._database.read(self._sql.waiting)
        return Waiting(row.mails_waiting, row.alerts_waiting, row.mail_failing, row.alerts_failing)


def _message(row: Any, channel: Channel, owner: str) -> Message:
    return Message(
        row.id,
        channel,
        owner,
        row.user_id,
        row.request_id,
        row.invitation_id,
        row.body,
        row.attempts,
        row.unanswered,
        row.created_at,
        None if row.email is None else Recipient(row.email, row.full_name),
    )
