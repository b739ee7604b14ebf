"""A connection to a mail server that cannot hold its user: all answers together have a limit, not only each of them."""

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any

from tripwire_shared.mail.ehlo_name import EhloName
from tripwire_shared.mail.smtp_answers import SmtpAnswers
from tripwire_shared.network.bounded_call import BoundedCalls, TookTooLong
from tripwire_shared.timings import SMTP_CUT_RETRY, SMTP_TIMEOUT

GO_ON = 354


class RefusedRecipient(smtplib.SMTPResponseException):
    """The server's answer to RCPT TO."""


@dataclass(frozen=True)
class SmtpServer:
    """`look_ups`: how its addresses are found, which by itself has no limit."""

    host: str
    port: int
    tls: bool
    ehlo_name: EhloName
    look_ups: BoundedCalls

    def addresses(self) -> list[Any]:
        try:
            return self.look_ups.run(lambda: socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM))
        except TookTooLong:
            raise TimeoutError("the address of the mail server was not found in time") from None


class SmtpConnection(smtplib.SMTP):
    """Greeted, inside TLS where the server is spoken to so from the first byte.

    `deadline` (of `time.monotonic()`; whoever begins something new may move it): who waits for the server then gets
    an error. A thread of the connection's own sees to it, since not each wait has a limit of its own that holds for all
    of it: a handshake whose bytes drip, for example.
    """

    def __init__(self, server: SmtpServer, deadline: float) -> None:
        """Raises smtplib.SMTPException or OSError."""
        self._server, self.deadline = server, deadline
        self._answers: SmtpAnswers | None = None
        self._ended = threading.Event()
        # Nobody shuts what another has closed meanwhile: the number of its socket may be another's by then.
        self._closing = threading.Lock()
        # Named by hand, here and below: the library would ask DNS for this host's full name, without any limit.
        super().__init__(local_hostname="localhost", timeout=SMTP_TIMEOUT)
        threading.Thread(target=self._watch, name="smtp-limit", daemon=True).start()
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> None:
        code, answer = self.connect(self._server.host, self._server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, answer)
        assert self.sock is not None
        self.local_hostname = self._server.ehlo_name.on(self.sock)

    def start_tls(self) -> None:
        """Raises smtplib.SMTPException or OSError."""
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("no STARTTLS")
        code, answer = self.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, answer)
        self._wrap()
        # RFC 3207 4.2: what was said before counts no more.
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False

    def envelope(self, sender: str, recipient: str) -> None:
        """Begins a mail, with bare addresses. Raises smtplib.SMTPResponseException where the server refuses one."""
        # By hand: the library would parse each address to find the bare one, and that is what they are.
        code, answer = self.docmd(f"MAIL FROM:<{sender}>")
        if code // 100 != 2:
            raise smtplib.SMTPSenderRefused(code, answer, sender)
        code, answer = self.docmd(f"RCPT TO:<{recipient}>")
        if code // 100 != 2:
            raise RefusedRecipient(code, answer)

    def content(self, content: bytes) -> None:
        """Sends all of the mail, its last dot too. Raises smtplib.SMTPDataError, SMTPException or OSError: the server
        has not got it then."""
        code, answer = self.docmd("DATA")
        if code != GO_ON:
            raise smtplib.SMTPDataError(code, answer)
        # RFC 5321 4.5.2: a line that is a dot alone would end it. A mail begins with a header, and ends with CRLF.
        self.send(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")

    def answer_to_content(self, until: float) -> tuple[int, bytes]:
        """What the server says to the mail that it got. Raises TimeoutError (ask again), OSError."""
        if self._answers is None:
            raise ConnectionError("closed")
        return self._answers.next(until)

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("closed")
        if self._answers is None or self._answers.heard_on is not self.sock:
            self._answers = SmtpAnswers(self.sock)
        try:
            return self._answers.next(min(time.monotonic() + SMTP_TIMEOUT, self.deadline))
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(str(error)) from error

    def leave(self) -> None:
        """Says goodbye and waits for no answer."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self.putcmd("QUIT")
        self.close()

    def cut(self) -> None:
        """From another thread: whoever waits for the server gets an error now."""
        with self._closing:
            if self.sock is not None:
                # The socket's own: that of TLS would first lay its encryption aside.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        self._ended.set()
        with self._closing:
            super().close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # smtplib's, called by connect()
        last: OSError = ConnectionError("the mail server has no address")
        for family, kind, protocol, _, address in self._server.addresses():
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("not connected in time")
            # Known to the watch from here on, before any handshake.
            self.sock = socket.socket(family, kind, protocol)
            self.sock.settimeout(min(timeout, left))
            try:
                self.sock.connect(address)
            except OSError as error:
                last = error
                self._drop_socket()
                continue
            self.sock.settimeout(timeout)
            if self._server.tls:
                self._wrap()
            return self.sock
        raise last

    def _wrap(self) -> None:
        """The handshake comes after the watch knows the socket that it is made on."""
        assert self.sock is not None
        wrapped = ssl.create_default_context().wrap_socket(
            self.sock, server_hostname=self._server.host, do_handshake_on_connect=False
        )
        self.sock = wrapped
        wrapped.do_handshake()

    def _drop_socket(self) -> None:
        with self._closing:
            dropped, self.sock = self.sock, None
        if dropped is not None:
            dropped.close()

    def _watch(self) -> None:
        while not self._ended.wait(max(self.deadline - time.monotonic(), SMTP_CUT_RETRY)):
            # Nothing to cut yet, while its host's addresses are tried one after another: the next round has it.
            if time.monotonic() >= self.deadline:
                self.cut()
