"""The outbox in PostgreSQL: what is to be sent is stored with what caused it, then delivered under a lease."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from tripwire_shared.database import Connection, Database
from tripwire_shared.sql import load_queries
from tripwire_shared.timings import ALERT_LEASE, ALERT_SPACING, DELIVERY_LEASE, FAILED_REQUESTS_ALERT_WINDOW


class Channel(StrEnum):
    MAIL = "mail"
    ALERT = "alert"


@dataclass(frozen=True)
class Message:
    """A message leased for one delivery: until the lease ends nobody else has it. `attempts` counts this one."""

    id: int
    channel: Channel
    owner: str
    user_id: UUID | None
    request_id: UUID | None
    invitation_id: UUID | None
    body: dict[str, Any]
    attempts: int
    created_at: datetime


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

    def lease(self, channel: Channel, patience: float = 0.0) -> Message | None:
        """The next message of the channel that may be delivered now; alerts strictly in order, at most one a second.

        `patience`: only a mail that has been due for so many seconds.
        """
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:12]}"
        with self._database.connection() as connection:
            if channel is Channel.MAIL:
                row = self._sql.lease_mail(connection, owner=owner, lease=DELIVERY_LEASE, patience=patience)
            else:
                row = self._sql.lease_alert(connection, owner=owner, lease=ALERT_LEASE, spacing=ALERT_SPACING)
        if row is None:
            return None
        return Message(
            row.id,
            channel,
            owner,
            row.user_id,
            row.request_id,
            row.invitation_id,
            row.body,
            row.attempts,
            row.created_at,
        )

    def mark_sent(self, message: Message) -> None:
        with self._database.connection() as connection:
            self._sql.mark_sent(connection, id=message.id, owner=message.owner)

    def put_off(self, message: Message, pause: float, error: str) -> None:
        """Not delivered: again after `pause` seconds. Nothing where the lease was lost."""
        with self._database.connection() as connection:
            self._sql.put_off(
                connection, id=message.id, owner=message.owner, pause=pause, error=error,
                detail=f"try {message.attempts}: {error}",
            )  # fmt: skip

    def give_up(self, message: Message, error: str) -> bool:
        """Not delivered and not tried again; False where the lease was lost."""
        with self._database.connection() as connection:
            return bool(self._sql.give_up(connection, id=message.id, owner=message.owner, error=error))

    def next_due_in(self, channel: Channel) -> float | None:
        """Seconds until a message of the channel may be delivered; None where none waits."""
        with self._database.connection() as connection:
            seconds: float | None = (
                self._sql.mail_due_in(connection)
                if channel is Channel.MAIL
                else self._sql.alert_due_in(connection, spacing=ALERT_SPACING)
            )
        return seconds

    def waiting(self) -> Waiting:
        row = self._database.read(self._sql.waiting)
        return Waiting(row.mails_waiting, row.alerts_waiting, row.mail_failing, row.alerts_failing)
