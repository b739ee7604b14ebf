"""The requests that the load consists of, as bytes."""

import itertools
from dataclasses import dataclass
from uuid import uuid4

from tests.bench.load import Requests
from tests.sales_manager import CREATE

BODY = b'{"email": "%s", "full_name": "Anna K."}'
HELLO = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"


def hello() -> Requests:
    return itertools.repeat(HELLO)


@dataclass(frozen=True)
class Creates:
    """POSTs of a customer, each with an e-mail address of its own; or all with the given one."""

    token: str
    email: str | None = None

    def __call__(self) -> Requests:
        run = uuid4().hex[:12]
        for number in itertools.count(10_000_000):
            yield self.one(self.email or f"{run}{number}@example.com")

    def one(self, email: str) -> bytes:
        body = BODY % email.encode()
        head = (
            f"POST {CREATE} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body
