"""The tour's sales manager: speaks HTTP to the API, reads the mails, and counts in the database."""

import email
import email.policy
import time
from contextlib import closing
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import psycopg2
import requests

from deploy.demo.stack import ADMIN_EMAIL, DemoStack
from tripwire_shared.timings import DEMO_HTTP_TIMEOUT

USERS = "/api/admin/tripwire/users"
REQUESTS = "/api/admin/tripwire/requests"
MODE = "/api/admin/system/mode"


@dataclass(frozen=True)
class Answer:
    code: int
    body: dict[str, Any]
    seconds: float

    def says(self, **expected: object) -> bool:
        return all(self.body.get(name) == value for name, value in expected.items())


class Sales:
    def __init__(self, stack: DemoStack) -> None:
        self._stack = stack
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy in the environment is not asked
        login = self.call("POST", "/api/auth/login", {"email": ADMIN_EMAIL, "password": stack.password})
        self._session.headers["Authorization"] = f"Bearer {login.body['token']}"

    def create(self, address: str, full_name: str) -> Answer:
        return self.call("POST", USERS, {"email": address, "full_name": full_name})

    def request(self, request_id: str) -> dict[str, Any]:
        return self.call("GET", f"{REQUESTS}/{request_id}").body

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        began = time.monotonic()
        answer = self._session.request(method, self._stack.api_url + path, json=body, timeout=DEMO_HTTP_TIMEOUT)
        return Answer(answer.status_code, answer.json(), time.monotonic() - began)

    def mail_to(self, address: str) -> EmailMessage | None:
        """The mail as it was written, where it has been."""
        for file in self._stack.mail_folder.glob("*.eml"):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if isinstance(mail, EmailMessage) and address in str(mail["To"]):
                return mail
        return None

    def counts(self) -> dict[str, int]:
        """How many rows there are of each thing that must be there once for each customer."""
        with closing(psycopg2.connect(self._stack.database_url)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT count(*) FROM tripwire_users), (SELECT count(*) FROM auth.users),"
                " (SELECT count(*) FROM sales), (SELECT count(*) FROM outbox WHERE channel = 'mail')"
            )
            return dict(
                zip(("customers", "auth users", "sales", "welcome mails"), cursor.fetchone() or (), strict=True)
            )
