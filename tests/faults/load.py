"""Sales managers at work while things break: a steady stream of creates, each with its Idempotency-Key.

They do what the documentation asks of a client, and no more: no answer, 503 and "the same key is being answered" are
tried again with the same key; a refused connection (nothing was sent) is tried at the next address at once.
Every try is kept as its client saw it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import requests

from tests.sales_manager import CREATE, new_email

CLIENTS = 8
TRY_AGAIN_AFTER = 0.2
TRY_AGAIN = (0, 503)
TIMEOUT = 15


@dataclass(frozen=True)
class Try:
    """One request as its client saw it; status 0: it was sent, and no answer came."""

    at: float  # time.monotonic()
    took: float
    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    error: str

    @property
    def accepted(self) -> bool:
        return self.status in (201, 202)

    def __str__(self) -> str:
        return f"{self.status} after {self.took:.2f} s {self.error or self.body}"


@dataclass
class Wished:
    """One customer that somebody wants, and what came of it."""

    email: str
    key: str
    tries: list[Try] = field(default_factory=list)

    @property
    def request_id(self) -> str | None:
        return next((str(seen.body["request_id"]) for seen in self.tries if seen.accepted), None)


class Load:
    """`with Load(urls, token) as load:` runs until the block ends; then everybody has an answer or has given up."""

    def __init__(
        self,
        urls: list[str],
        token: str,
        *,
        per_second: float = 20.0,
        patience: float = 20.0,
        email: Callable[[], str] = new_email,
        verify: bool = True,
    ) -> None:
        self.customers: list[Wished] = []
        self._urls, self._token, self._gap, self._patience = urls, token, CLIENTS / per_second, patience
        self._email, self._verify = email, verify
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(self._patience + TIMEOUT)

    @property
    def tries(self) -> list[Try]:
        return [seen for wished in list(self.customers) for seen in list(wished.tries)]

    @property
    def accepted(self) -> list[str]:
        """The ids of all requests that were answered 2xx."""
        return [wished.request_id for wished in self.customers if wished.request_id is not None]

    def first_accepted_after(self, moment: float) -> float | None:
        """When the first answer 2xx came to a request that was sent after `moment`."""
        ends = [seen.at + seen.took for seen in self.tries if seen.accepted and seen.at >= moment]
        return min(ends, default=None)

    def _work(self, number: int) -> None:
        session = requests.Session()
        session.trust_env, session.verify = False, self._verify
        session.headers["Authorization"] = f"Bearer {self._token}"
        self._ended.wait(self._gap * number / CLIENTS)
        while not self._ended.is_set():
            due = time.monotonic() + self._gap
            wished = Wished(self._email(), uuid4().hex)
            self.customers.append(wished)
            self._insist(session, wished, first=number)
            self._ended.wait(max(0.0, due - time.monotonic()))

    def _insist(self, session: requests.Session, wished: Wished, first: int) -> None:
        give_up_at = time.monotonic() + self._patience
        while True:
            seen = self._try(session, wished, first)
            wished.tries.append(seen)
            answered = seen.body.get("title") == "Conflict"  # the same key, under way
            if (seen.status not in TRY_AGAIN and not answered) or time.monotonic() > give_up_at:
                return
            time.sleep(TRY_AGAIN_AFTER)

    def _try(self, session: requests.Session, wished: Wished, first: int) -> Try:
        at, refusals = time.monotonic(), 0
        while True:
            url = self._urls[(first + refusals) % len(self._urls)]
            try:
                answer = session.post(
                    url + CREATE,
                    json={"email": wished.email, "full_name": "Anna K."},
                    headers={"Idempotency-Key": wished.key},
                    timeout=TIMEOUT,
                )
                return Try(at, time.monotonic() - at, answer.status_code, answer.json(), dict(answer.headers), "")
            except requests.RequestException as error:
                refused = "Connection refused" in str(error)
                refusals += refused
                if not refused or refusals >= len(self._urls):
                    return Try(at, time.monotonic() - at, 0, {}, {}, str(error))
