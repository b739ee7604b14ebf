"""The welcome mail: who gets it, what it says, and what happens when it cannot be sent."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.email_address import domain_for_mail
from tripwire_shared.events.event import Event
from tripwire_shared.events.health_log import HealthLog
from tripwire_shared.languages.catalogue import Academy, catalogue
from tripwire_shared.logs import get_logger
from tripwire_shared.mail.mail import Mail
from tripwire_shared.mail.mailer import Mailer
from tripwire_shared.outbox.outbox import Message
from tripwire_shared.outbox.outcomes import LateAnswer, NothingToDeliver
from tripwire_shared.provisioning.invitation import Invitations
from tripwire_shared.timings import INVITATION_TTL, MAIL_BACKOFF, MAIL_GIVE_UP_AFTER

# Leased at once: enough that lease and mark cost little for each, few enough that a second deliverer finds some.
MAIL_BATCH = 50
# Twice as many as one that fails for 24 hours has.
MAIL_LEASES_AT_MOST = 200
# Never a name of anything (RFC 6761, section 6.4): addresses of tests, such as the proof of a deploy.
NOBODYS_DOMAIN = ".invalid"
# Where a line may end, and control characters: a name stands on one line.
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class WelcomeMail:
    def __init__(
        self, invitations: Invitations, mailer: Mailer, health_log: HealthLog, mail_from: str, academy: Academy
    ) -> None:
        self._invitations, self._mailer, self._health_log = invitations, mailer, health_log
        self._from = f"{mail_from.rpartition('@')[0]}@{domain_for_mail(mail_from)}"
        templates = Environment(
            loader=PackageLoader("tripwire_shared.mail"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        messages = catalogue(academy.language)
        templates.install_gettext_translations(messages, newstyle=True)  # type: ignore[attr-defined]  # of the extension
        self._words = academy.words(messages)
        self._fixed = {"language": academy.language.value, "hours": int(INVITATION_TTL // 3600)}
        # Compiled once; the environment would look at the files for each mail.
        self._subject, self._text, self._html = (
            templates.get_template(f"welcome.{part}") for part in ("subject.txt", "body.txt", "body.html")
        )

    @contextmanager
    def batch(self) -> Iterator[Callable[[Message], LateAnswer | None]]:
        """Gives what delivers one mail after another; it raises DeliveryFailed, and NothingToDeliver where the customer
        or the link is gone meanwhile."""
        with self._mailer.batch() as send:
            yield lambda message: send(self._compose(message))

    def _compose(self, message: Message) -> Mail:
        """The name stands in one header, on one line; the address alone says who gets the mail."""
        if message.recipient is None:
            raise NothingToDeliver("The customer was erased, or the link was replaced by a newer one.")
        email = message.recipient.email
        if email.endswith(NOBODYS_DOMAIN):
            raise NothingToDeliver("Nobody can have an address under .invalid.")
        link = None if message.invitation_id is None else self._invitations.link(message.invitation_id)
        about = {
            **self._words,
            **self._fixed,
            "full_name": _BREAKS.sub(" ", message.recipient.full_name).strip(),
            "link": link,
        }
        return Mail(
            # The same for each try, so that a mail accepted twice can be recognised.
            message_id=f"welcome-{message.id}@{self._from.rpartition('@')[2]}",
            sender=self._from,
            recipient=f"{email.rpartition('@')[0]}@{domain_for_mail(email)}",
            subject=self._subject.render(about).strip(),
            text=self._text.render(about),
            html=self._html.render(about),
            date=datetime.now(UTC),
            sender_name=self._words["academy_name"],
        )

    def pause(self, message: Message) -> float | None:
        """5 s, 15 s, 60 s, 5 min, then each 15 min; None after 24 hours."""
        if _is_over(message):
            return None
        return MAIL_BACKOFF[min(message.attempts, len(MAIL_BACKOFF)) - 1]

    def on_failed(self, message: Message, reason: str) -> None:
        get_logger(__name__).warning(
            "a welcome mail failed and is tried again", request_id=str(message.request_id), reason=reason
        )

    def on_given_up(self, message: Message, reason: str) -> None:
        about = {"request_id": str(message.request_id), "user_id": str(message.user_id), "reason": reason}
        tried = "could not be sent for 24 hours" if _is_over(message) else "failed and is not tried again"
        self._health_log.record(Event(EventType.WARNING, f"A welcome mail {tried}", about))


def _is_over(message: Message) -> bool:
    return (datetime.now(UTC) - message.created_at).total_seconds() > MAIL_GIVE_UP_AFTER
