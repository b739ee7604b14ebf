"""Sends a mail: by SMTP where SMTP_URL is set, else into a file each under `.data/mail/`."""

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from tripwire_shared.outbox.deliverer import DeliveryFailed
from tripwire_shared.timings import SMTP_TIMEOUT, SMTP_TOTAL

MAIL_FOLDER = Path(".data/mail")


class Mailer(Protocol):
    def send(self, mail: EmailMessage) -> None:
        """Raises DeliveryFailed."""


class SmtpMailer:
    """`smtp://user:pass@host:587?starttls=true` or `smtps://…`; one connection for each mail."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 587 if parts.username else 25)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._starttls = parse_qs(parts.query).get("starttls", ["false"])[-1].lower() in ("true", "1", "yes")

    def send(self, mail: EmailMessage) -> None:
        try:
            self._send(mail, time.monotonic() + SMTP_TOTAL)
        except smtplib.SMTPResponseException as error:
            raise DeliveryFailed(f"The mail server refused ({error.smtp_code}).") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            # Without its text: some of these repeat the recipient or the credentials.
            raise DeliveryFailed(f"The mail server did not take it ({type(error).__name__}).") from None

    def _send(self, mail: EmailMessage, deadline: float) -> None:
        server = self._connect()
        # The library limits each answer, not all of them together: a slow server would outlive the message's lease.
        limit = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (server,))
        limit.daemon = True
        limit.start()
        try:
            if self._starttls:
                server.starttls(context=ssl.create_default_context())
            if self._user:
                server.login(self._user, self._password)
            server.send_message(mail)
            # It is accepted: however the server says goodbye, it must not be sent again.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            limit.cancel()
            server.close()

    def _connect(self) -> smtplib.SMTP:
        # This host is named by hand: the library would ask DNS for its full name, without any limit.
        here = socket.gethostname()
        if self._tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self._host, self._port, here, timeout=SMTP_TIMEOUT, context=context)
        return smtplib.SMTP(self._host, self._port, here, timeout=SMTP_TIMEOUT)


def _cut(server: smtplib.SMTP) -> None:
    """Whoever waits for this server gets an error now."""
    waiting_on = server.sock
    if waiting_on is not None:
        with contextlib.suppress(OSError):  # it may just have been closed
            waiting_on.shutdown(socket.SHUT_RDWR)


class FileMailer:
    """For development: what would have been sent, one `.eml` a mail, readable by its owner only."""

    def __init__(self, folder: Path = MAIL_FOLDER) -> None:
        self._folder = folder

    def send(self, mail: EmailMessage) -> None:
        name = str(mail["Message-ID"]).strip("<>").partition("@")[0] + ".eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            unfinished = self._folder / f".{uuid4().hex}"
            unfinished.touch(mode=0o600, exist_ok=False)
            unfinished.write_bytes(bytes(mail))
            unfinished.rename(self._folder / name)
        except OSError as error:
            raise DeliveryFailed(f"The mail could not be written ({type(error).__name__}).") from None


def build_mailer(smtp_url: str) -> Mailer:
    return SmtpMailer(smtp_url) if smtp_url else FileMailer()
