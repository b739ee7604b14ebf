"""Sends mails: by SMTP where SMTP_URL is set, else into a file each under `.data/mail/`."""

import contextlib
import os
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from tripwire_shared.mail.ehlo_name import EhloName
from tripwire_shared.mail.mail import Mail
from tripwire_shared.mail.mail_check import checked_bytes
from tripwire_shared.mail.smtp_answers import shown
from tripwire_shared.mail.smtp_connection import RefusedRecipient, SmtpConnection, SmtpServer
from tripwire_shared.network.bounded_call import BoundedCalls
from tripwire_shared.outbox.outcomes import DeliveryFailed, FailedForGood, LateAnswer, OutcomeUnknown
from tripwire_shared.timings import MAIL_ANSWER_NOTED_AFTER, SMTP_ANSWER_LIMIT, SMTP_CUT_RETRY, SMTP_TIMEOUT, SMTP_TOTAL

MAIL_FOLDER = Path(".data/mail")
CLOSING = 421
# Hung look-ups of the mail server's address; one ends after half a minute, and a deliverer makes one in ten seconds.
LOOK_UPS_AT_ONCE = 4
NO_ANSWER = "Outcome unknown: the mail server has all of the mail, and did not say whether it took it."

# Sends one mail; raises DeliveryFailed. None: it is delivered. Else all of it is out, and the answer takes its time.
Send = Callable[[Mail], LateAnswer | None]


class Mailer(Protocol):
    def batch(self) -> AbstractContextManager[Send]:
        """Gives what sends mails one after another, from one thread."""


class SmtpMailer:
    """`smtp://user:pass@host:587?starttls=true` or `smtps://…`; one connection for each batch."""

    def __init__(self, url: str, ehlo_name: str = "") -> None:
        parts = urlsplit(url)
        tls = parts.scheme == "smtps"
        self._server = SmtpServer(
            host=parts.hostname or "",
            port=parts.port or (465 if tls else 587 if parts.username else 25),
            tls=tls,
            ehlo_name=EhloName(ehlo_name),
            look_ups=BoundedCalls(SMTP_TIMEOUT, LOOK_UPS_AT_ONCE),
        )
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._starttls = parse_qs(parts.query).get("starttls", ["false"])[-1].lower() in ("true", "1", "yes")

    @contextmanager
    def batch(self) -> Iterator[Send]:
        batch = _SmtpBatch(self._connect)
        try:
            yield batch.send
        finally:
            batch.close()

    def _connect(self, deadline: float) -> SmtpConnection:
        """Ready for a mail. Raises smtplib.SMTPException or OSError."""
        connection = SmtpConnection(self._server, deadline)
        try:
            if self._starttls:
                connection.start_tls()
            connection.ehlo_or_helo_if_needed()  # inside TLS once more: the server has forgotten the first
            if self._user:
                connection.login(self._user, self._password)
        except BaseException:
            connection.close()
            raise
        return connection


class _SmtpBatch:
    """One connection, made for the first mail and kept for the next as long as it is good."""

    def __init__(self, connect: Callable[[float], SmtpConnection]) -> None:
        self._connect = connect
        self._connection: SmtpConnection | None = None
        # Of the mail under way.
        self._deadline = 0.0

    def send(self, mail: Mail) -> LateAnswer | None:
        """A refused mail harms no other: the connection is good afterwards, or gone."""
        content = checked_bytes(mail)
        try:
            connection = self._begin(mail)
            connection.content(content)
        except smtplib.SMTPResponseException as error:
            self._forget_mail(error.smtp_code)
            raise _refusal(error, mail) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._drop()
            # Without its text: some of these repeat the recipient or the credentials.
            raise DeliveryFailed(f"The mail server did not take it ({type(error).__name__}).") from None
        return self._await_answer(connection, mail)

    def close(self) -> None:
        """What was accepted is out: however the server says goodbye, it must not be sent again."""
        if self._connection is not None:
            self._connection.deadline = time.monotonic() + SMTP_TOTAL
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
        self._drop()

    def _await_answer(self, connection: SmtpConnection, mail: Mail) -> LateAnswer | None:
        until = time.monotonic() + MAIL_ANSWER_NOTED_AFTER
        # Past that wait. Not further: it is moved back for the next mail, which the connection's watch would oversleep.
        connection.deadline = max(self._deadline, until + SMTP_CUT_RETRY)
        try:
            _read_verdict(connection, until)
        except smtplib.SMTPDataError as error:
            self._forget_mail(error.smtp_code)
            raise _refusal(error, mail) from None
        except TimeoutError:
            # The next mail gets a connection of its own.
            self._connection = None
            return _OwingAnswer(connection, mail)
        except OutcomeUnknown:
            self._drop()
            raise
        return None

    def _begin(self, mail: Mail) -> SmtpConnection:
        """A connection on which the server knows sender and recipient, and waits for the content.

        A server may close a kept connection between two mails, silently or with a word. Nothing of this mail is out
        then, so it is begun once more on a fresh one, within the same limit.
        """
        self._deadline = time.monotonic() + SMTP_TOTAL
        if self._connection is not None:
            self._connection.deadline = self._deadline
            try:
                self._connection.envelope(mail.sender, mail.recipient)
                return self._connection
            except smtplib.SMTPResponseException as error:
                if error.smtp_code != CLOSING:
                    raise
            except (smtplib.SMTPServerDisconnected, OSError):
                pass  # gone without a word
            self._drop()
        self._connection = self._connect(self._deadline)
        self._connection.envelope(mail.sender, mail.recipient)
        return self._connection

    def _forget_mail(self, refusal: int) -> None:
        """Has the server forget sender and recipient of a refused mail; where it does not, no other goes this way."""
        if self._connection is None:
            return
        self._connection.deadline = self._deadline
        forgotten = False
        if refusal != CLOSING:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                forgotten = self._connection.rset()[0] == 250
        if not forgotten:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _OwingAnswer:
    """All of the mail is out; the connection is this one's alone."""

    def __init__(self, connection: SmtpConnection, mail: Mail) -> None:
        self._connection, self._mail = connection, mail
        connection.deadline = time.monotonic() + SMTP_ANSWER_LIMIT

    def wait(self) -> None:
        try:
            _read_verdict(self._connection, self._connection.deadline)
        except smtplib.SMTPDataError as error:
            raise _refusal(error, self._mail) from None
        except TimeoutError:
            raise OutcomeUnknown(NO_ANSWER) from None
        finally:
            self._connection.leave()

    def cut(self) -> None:
        self._connection.cut()


def _read_verdict(connection: SmtpConnection, until: float) -> None:
    """Returns where the mail was accepted. Raises smtplib.SMTPDataError, OutcomeUnknown, and TimeoutError where nothing
    was said until then."""
    try:
        code, answer = connection.answer_to_content(until)
    except TimeoutError:
        raise
    except OSError:
        raise OutcomeUnknown(NO_ANSWER) from None
    # RFC 5321 4.2.1: the first digit is the verdict. What begins with none of these is no answer.
    match code // 100:
        case 2:
            return
        case 4 | 5:
            raise smtplib.SMTPDataError(code, answer)
        case _:
            raise OutcomeUnknown(NO_ANSWER)


def _refusal(error: smtplib.SMTPResponseException, mail: Mail) -> DeliveryFailed:
    """5xx to recipient or content is about this mail and will stay; all else is about the server or our settings, or
    passes."""
    if error.smtp_code // 100 == 5 and isinstance(error, RefusedRecipient | smtplib.SMTPDataError):
        what = "the address" if isinstance(error, RefusedRecipient) else "the mail"
        answer = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
        return FailedForGood(
            f"The mail server refused {what} for good: {shown(error.smtp_code, answer, mail.recipient)}"
        )
    return DeliveryFailed(f"The mail server refused ({error.smtp_code}).")


class FileMailer:
    """For development: what would have been sent, one `.eml` a mail, readable by its owner only."""

    def __init__(self, folder: Path = MAIL_FOLDER) -> None:
        self._folder = folder

    @contextmanager
    def batch(self) -> Iterator[Send]:
        yield self.send

    def send(self, mail: Mail) -> None:
        """The file gets its name when it is whole. Raises DeliveryFailed."""
        content = checked_bytes(mail)
        unfinished = self._folder / f".{uuid4().hex}"
        try:
            with os.fdopen(self._create(unfinished), "wb") as file:
                file.write(content)
            unfinished.rename(self._folder / f"{mail.message_id.partition('@')[0]}.eml")
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise DeliveryFailed(f"The mail could not be written ({type(error).__name__}).") from None

    def _create(self, path: Path) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:  # the first mail, or somebody removed the folder
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return os.open(path, flags, 0o600)


def build_mailer(smtp_url: str, ehlo_name: str) -> Mailer:
    return SmtpMailer(smtp_url, ehlo_name) if smtp_url else FileMailer()
