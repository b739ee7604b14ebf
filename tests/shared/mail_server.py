"""A real mail server in the test's own process; keeps what it accepts and refuses what the test says."""

import asyncio
from collections import Counter
from collections.abc import Iterator
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

    `refused`: recipients that it does not know. `seconds`: what a mail takes. `begun`, `connections`: how many so far.
    `mails_of_a_connection`: after so many it closes one, with the answer `closing` or without a word (None).
    `dies_after` so many mails in all it drops every connection until it is None again; `loses_answer`: only once it has
    the next mail, without its answer.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refusal: str | None = None
        self.farewell: str | None = None
        self.refused: set[str] = set()
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
        session.host_name, session.mails = hostname, 0
        return answers

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
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
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusal is not None:
            return self.refusal
        self.begun += 1
        await asyncio.sleep(self.seconds)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
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
