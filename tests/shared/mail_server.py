"""Real mail servers in the test's own process: one that keeps what it accepts and refuses what the test says, and one
that does whatever a test wants it to do."""

import asyncio
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from deploy.local.data_folder import free_port

USER, PASSWORD = "user@mail", "p@ss/word"


class MailServer:
    """aiosmtpd's handler. `refusal` is what DATA is answered with instead; `farewell` what QUIT is answered with.

    `refused`: what it answers to recipients that it does not know; `refused_sender` to MAIL. `seconds`: what a mail
    takes; `silent`: the recipients whose mails it has and never answers. `begun`, `connections`: how many so far.
    `greeted_by`: the names in EHLO; `contents`, `options`: what came as bytes, and the parameters of MAIL.
    `mails_of_a_connection`: after so many it closes one, with the answer `closing` or without a word (None).
    `dies_after` so many mails in all it drops every connection until it is None again; `loses_answer`: only once it has
    the next mail, without its answer.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refusal: str | None = None
        self.farewell: str | None = None
        self.refused: dict[str, str] = {}
        self.refused_sender: str | None = None
        self.silent: set[str] = set()
        self.greeted_by: list[str] = []
        self.contents: list[bytes] = []
        self.options: list[list[str]] = []
        self.seconds = 0.0
        self.begun = 0
        self.connections = 0
        self.mails_of_a_connection: int | None = None
        self.closing: str | None = None
        self.dies_after: int | None = None
        self.loses_answer = False
        self.signed_in: list[bytes] = []
        self.url = ""

    def arrived(self) -> Counter[str]:
        """How many mails each recipient got."""
        return Counter(address for recipients in self.recipients for address in recipients)

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name, as below
        self, server: Any, session: Any, _envelope: Any, hostname: str, answers: list[str]
    ) -> list[str]:
        self.connections += 1
        if self._dead(self.dies_after):
            server.transport.abort()
        self.greeted_by.append(hostname)
        session.host_name, session.mails = hostname, 0
        return answers

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.options.append(options)
        if self.refused_sender is not None:
            return self.refused_sender
        if self._dead(self.dies_after) and not self.loses_answer:
            server.transport.abort()
        if session.mails == self.mails_of_a_connection:
            if self.closing is None:
                server.transport.abort()
            else:
                return self.closing
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusal is not None:
            return self.refusal
        self.begun += 1
        await asyncio.sleep(self.seconds)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.contents.append(envelope.content)
        self.recipients.append(envelope.rcpt_tos)
        if self.silent.intersection(envelope.rcpt_tos):
            await asyncio.Event().wait()
        session.mails += 1
        if self.loses_answer and self.dies_after is not None and len(self.mails) > self.dies_after:
            server.transport.abort()
        return "250 OK"

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
        return self.farewell or "221 Bye"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.signed_in.append(data.login)
        known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False)  # the library answers

    def _dead(self, after: int | None) -> bool:
        return after is not None and len(self.mails) >= after


@contextmanager
def mail_server(**options: Any) -> Iterator[MailServer]:
    server = MailServer()
    controller = Controller(
        server, hostname="127.0.0.1", port=free_port(), authenticator=server.authenticate, **options
    )
    controller.start()
    server.url = f"smtp://127.0.0.1:{controller.port}"
    try:
        yield server
    finally:
        controller.stop()


class _PlainSession(socketserver.StreamRequestHandler):
    server: "_PlainServer"

    def handle(self) -> None:
        self.wfile.write(b"220 plain\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"QUIT" or (verb == b"DATA" and self.server.cuts_content):
                return
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.server.mails += 1
                self.server.end_of_mail(self.request)
            else:
                self.wfile.write(b"250 plain\r\n")


class _PlainServer(socketserver.ThreadingTCPServer):
    """`mails`: how many it had so far."""

    daemon_threads = True
    mails = 0
    cuts_content = False
    end_of_mail: Callable[[socket.socket], None]
    url: str

    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up in the middle is what tests are about."""


@contextmanager
def plain_mail_server(
    end_of_mail: Callable[[socket.socket], None], *, cuts_content: bool = False
) -> Iterator[_PlainServer]:
    """Offers nothing. `end_of_mail` says what it says once a mail is there; `cuts_content`: it is gone as soon as a
    mail's content is to begin."""
    with _PlainServer(("127.0.0.1", 0), _PlainSession) as server:
        server.end_of_mail, server.cuts_content = end_of_mail, cuts_content  # type: ignore[method-assign]
        server.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
