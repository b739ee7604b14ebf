"""The welcome mail: who gets it, what it says, and what happens when it cannot be sent."""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tripwire_shared.database import Database
from tripwire_shared.email_address import domain_for_mail
from tripwire_shared.health.event import Event, EventType
from tripwire_shared.health.health_log import HealthLog
from tripwire_shared.logs import get_logger
from tripwire_shared.mail.mailer import Mailer
from tripwire_shared.outbox.deliverer import NothingToDeliver
from tripwire_shared.outbox.outbox import Message
from tripwire_shared.provisioning.invitation import Invitations
from tripwire_shared.sql import load_queries
from tripwire_shared.timings import MAIL_BACKOFF, MAIL_GIVE_UP_AFTER


class WelcomeMail:
    def __init__(
        self, database: Database, invitations: Invitations, mailer: Mailer, health_log: HealthLog, mail_from: str
    ) -> None:
        self._database, self._invitations, self._mailer, self._health_log = database, invitations, mailer, health_log
        self._from = mail_from
        self._sql = load_queries(__file__)
        self._templates = Environment(
            loader=PackageLoader("tripwire_shared.mail"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
        )

    def deliver(self, message: Message) -> None:
        """Sends it. Raises DeliveryFailed, and NothingToDeliver where the customer or the link is gone meanwhile."""
        row = self._database.read(
            lambda connection: self._sql.find_recipient(
                connection, user_id=message.user_id, invitation_id=message.invitation_id
            )
        )
        if row is None:
            raise NothingToDeliver("The customer was erased, or the link was replaced by a newer one.")
        link = None if message.invitation_id is None else self._invitations.link(message.invitation_id)
        self._mailer.send(self.compose(row.email, row.full_name, link, message.id))

    def compose(self, email: str, full_name: str, link: str | None, message_id: int) -> EmailMessage:
        """Text and HTML. The name stands in one header, on one line; the address alone says who gets the mail."""
        full_name = " ".join(full_name.split())
        about = {"full_name": full_name, "link": link}
        mail = EmailMessage()
        mail["Subject"] = self._templates.get_template("welcome.subject.txt").render(about).strip()
        mail["From"] = self._from
        mail["To"] = Address(username=email.rpartition("@")[0], domain=domain_for_mail(email))
        mail["Date"] = format_datetime(datetime.now(UTC))
        # The same for each try, so that a mail accepted twice can be recognised.
        mail["Message-ID"] = f"<welcome-{message_id}@{self._from.rpartition('@')[2]}>"
        mail.set_content(self._templates.get_template("welcome.body.txt").render(about))
        mail.add_alternative(self._templates.get_template("welcome.body.html").render(about), subtype="html")
        return mail

    def pause(self, message: Message) -> float | None:
        """5 s, 15 s, 60 s, 5 min, then each 15 min; None after 24 hours."""
        if (datetime.now(UTC) - message.created_at).total_seconds() > MAIL_GIVE_UP_AFTER:
            return None
        return MAIL_BACKOFF[min(message.attempts, len(MAIL_BACKOFF)) - 1]

    def on_failed(self, message: Message, reason: str) -> None:
        get_logger(__name__).warning(
            "a welcome mail failed and is tried again", request_id=str(message.request_id), reason=reason
        )

    def on_given_up(self, message: Message, reason: str) -> None:
        about = {"request_id": str(message.request_id), "user_id": str(message.user_id), "reason": reason}
        self._health_log.record(Event(EventType.WARNING, "A welcome mail could not be sent for 24 hours", about))
