"""A connection to a mail server that cannot hold its user: all answers together have a limit, not only each of them."""

import contextlib
import smtplib
import socket
import threading
import time
from typing import Any

from tripwire_shared.timings import SMTP_CUT_RETRY, SMTP_TIMEOUT


class SmtpConnection(smtplib.SMTP):
    """`deadline` (of `time.monotonic()`; whoever begins something new may move it): who waits for the server then gets
    an error. A thread of the connection's own sees to it, since the library limits each read alone."""

    def __init__(self, host: str, port: int, deadline: float, **tls: Any) -> None:
        self.deadline = deadline
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name="smtp-limit", daemon=True).start()
        try:
            # This host is named by hand: the library would ask DNS for its full name, without any limit.
            super().__init__(host, port, socket.gethostname(), timeout=SMTP_TIMEOUT, **tls)
        except BaseException:
            self._ended.set()
            raise

    def envelope(self, sender: str, recipient: str) -> None:
        """Begins a mail, with bare addresses. Raises smtplib.SMTPResponseException where the server refuses one."""
        # By hand: the library would parse each address to find the bare one, and that is what they are.
        for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"):
            code, answer = self.docmd(command)
            if code not in (250, 251):
                raise smtplib.SMTPResponseException(code, answer)

    def content(self, content: bytes) -> None:
        """Ends the mail. Where no answer comes, it is unknown whether the server has it."""
        code, answer = self.data(content)
        if code != 250:
            raise smtplib.SMTPDataError(code, answer)

    def close(self) -> None:
        self._ended.set()
        super().close()

    def _watch(self) -> None:
        while not self._ended.wait(max(self.deadline - time.monotonic(), SMTP_CUT_RETRY)):
            waiting_on = self.sock
            # No socket yet, while its host's addresses are tried one after another: the next round has it.
            if time.monotonic() >= self.deadline and waiting_on is not None:
                with contextlib.suppress(OSError):  # it may just have been closed
                    waiting_on.shutdown(socket.SHUT_RDWR)


class SmtpsConnection(SmtpConnection, smtplib.SMTP_SSL):
    """The same inside TLS from the first byte; takes `context`."""
