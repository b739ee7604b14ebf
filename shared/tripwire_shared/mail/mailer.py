"""Sends mails: by SMTP where SMTP_URL is set, else into a file each under `.data/mail/`."""

import contextlib
import os
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from tripwire_shared.mail.mail import Mail
from tripwire_shared.mail.smtp_connection import SmtpConnection, SmtpsConnection
from tripwire_shared.outbox.deliverer import DeliveryFailed
from tripwire_shared.timings import SMTP_TOTAL

MAIL_FOLDER = Path(".data/mail")
CLOSING = 421


class Mailer(Protocol):
    def batch(self) -> AbstractContextManager[Callable[[Mail], None]]:
        """Gives what sends mails one after another, from one thread; it raises DeliveryFailed."""


class SmtpMailer:
    """`smtp://user:pass@host:587?starttls=true` or `smtps://…`; one connection for each batch."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587 if parts.username else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._starttls = parse_qs(parts.query).get("starttls", ["false"])[-1].lower() in ("true", "1", "yes")

    @contextmanager
    def batch(self) -> Iterator[Callable[[Mail], None]]:
        batch = _SmtpBatch(self._connect)
        try:
            yield batch.send
        finally:
            batch.close()

    def _connect(self, deadline: float) -> SmtpConnection:
        """Ready for a mail. Raises smtplib.SMTPException or OSError."""
        if self._tls:
            connection: SmtpConnection = SmtpsConnection(
                self._host, self._port, deadline, context=ssl.create_default_context()
            )
        else:
            connection = SmtpConnection(self._host, self._port, deadline)
        try:
            if self._starttls:
                connection.starttls(context=ssl.create_default_context())
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

    def send(self, mail: Mail) -> None:
        """Raises DeliveryFailed. A refused mail harms no other: the connection is good afterwards, or gone."""
        try:
            self._begin(mail).content(bytes(mail))
        except smtplib.SMTPResponseException as error:
            self._forget_mail(error.smtp_code)
            raise DeliveryFailed(f"The mail server refused ({error.smtp_code}).") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._drop()
            # Without its text: some of these repeat the recipient or the credentials.
            raise DeliveryFailed(f"The mail server did not take it ({type(error).__name__}).") from None

    def close(self) -> None:
        """What was accepted is out: however the server says goodbye, it must not be sent again."""
        if self._connection is not None:
            self._connection.deadline = time.monotonic() + SMTP_TOTAL
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._connection.quit()
        self._drop()

    def _begin(self, mail: Mail) -> SmtpConnection:
        """A connection on which the server knows sender and recipient, and waits for the content.

        A server may close a kept connection between two mails, silently or with a word. Nothing of this mail is out
        then, so it is begun once more on a fresh one, within the same limit.
        """
        deadline = time.monotonic() + SMTP_TOTAL
        if self._connection is not None:
            self._connection.deadline = deadline
            try:
                self._connection.envelope(mail.sender, mail.recipient)
                return self._connection
            except smtplib.SMTPResponseException as error:
                if error.smtp_code != CLOSING:
                    raise
            except (smtplib.SMTPServerDisconnected, OSError):
                pass  # gone without a word
            self._drop()
        self._connection = self._connect(deadline)
        self._connection.envelope(mail.sender, mail.recipient)
        return self._connection

    def _forget_mail(self, refusal: int) -> None:
        """Has the server forget sender and recipient of a refused mail; where it does not, no other goes this way."""
        if self._connection is None:
            return
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


class FileMailer:
    """For development: what would have been sent, one `.eml` a mail, readable by its owner only."""

    def __init__(self, folder: Path = MAIL_FOLDER) -> None:
        self._folder = folder

    @contextmanager
    def batch(self) -> Iterator[Callable[[Mail], None]]:
        yield self.send

    def send(self, mail: Mail) -> None:
        """The file gets its name when it is whole. Raises DeliveryFailed."""
        unfinished = self._folder / f".{uuid4().hex}"
        try:
            with os.fdopen(self._create(unfinished), "wb") as file:
                file.write(bytes(mail))
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


def build_mailer(smtp_url: str) -> Mailer:
    return SmtpMailer(smtp_url) if smtp_url else FileMailer()
