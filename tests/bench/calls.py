"""The requests that the load consists of, as bytes."""

import itertools
from dataclasses import dataclass
from uuid import uuid4

from tests.bench.load import Requests
from tests.sales_manager import CREATE

BODY = b'{"email": "%s", "full_name": "Anna K."}'
HELLO = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
ALL_OF_ONE_LENGTH = 10_000_000


def hello() -> Requests:
    return itertools.repeat(HELLO)


@dataclass(frozen=True)
class Creates:
    """POSTs of a customer, each with an e-mail address of its own; or all with the given one.

    `run` begins the addresses, so that who sent them knows them; without it each call begins a new run.
    """

    token: str
    email: str | None = None
    run: str | None = None

    def __call__(self) -> Requests:
        run = self.run or new_run()
        for number in itertools.count():
            yield self.one(self.email or address(run, number))

    def one(self, email: str) -> bytes:
        body = BODY % email.encode()
        head = (
            f"POST {CREATE} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def new_run() -> str:
    return uuid4().hex[:12]


def address(run: str, number: int) -> str:
    """The e-mail address of the `number`-th request of a run, from 0 on."""
    return f"{run}{ALL_OF_ONE_LENGTH + number}@example.com"
