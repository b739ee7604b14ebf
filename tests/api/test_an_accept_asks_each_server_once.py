"""The accept path's promise: one round trip to PostgreSQL, one pipeline to Redis, and nothing else on its time."""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import psycopg2.extensions
import pytest
from psycopg2.extras import NamedTupleCursor
from redis import Redis
from redis.connection import AbstractConnection

from tests.api.conftest import ApiUnderTest, Caller
from tests.sales_manager import CREATE, new_email
from tripwire_shared.timings import TOKEN_CACHE_TTL

ACCEPTS = 30
TOKEN_QUERY, INSERT, MODE_QUERY = "FROM staff_tokens", "INSERT INTO provisioning_requests", "system_config"


@dataclass
class Wire:
    """What this thread sends: the background threads of the API have their own business."""

    statements: list[str] = field(default_factory=list)
    database_round_trips: int = 0
    redis_writes: int = 0

    def forget(self) -> None:
        self.statements.clear()
        self.database_round_trips = self.redis_writes = 0

    def count(self, part: str) -> int:
        return sum(part in statement for statement in self.statements)


@pytest.fixture
def wire(api: ApiUnderTest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Counts where every byte has to pass: psycopg2's wait for an answer, and redis-py's write to the socket."""
    seen, mine = Wire(), threading.get_ident()
    wait = psycopg2.extensions.get_wait_callback()
    execute, send = NamedTupleCursor.execute, AbstractConnection.send_packed_command

    def counted_wait(connection: Any) -> None:
        seen.database_round_trips += threading.get_ident() == mine
        wait(connection)

    def noted_execute(cursor: Any, query: str, vars: Any = None) -> Any:
        if threading.get_ident() == mine:
            seen.statements.append(query)
        return execute(cursor, query, vars)

    def counted_send(connection: Any, *arguments: Any, **named: Any) -> Any:
        seen.redis_writes += threading.get_ident() == mine
        return send(connection, *arguments, **named)

    monkeypatch.setattr(NamedTupleCursor, "execute", noted_execute)
    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted_send)
    psycopg2.extensions.set_wait_callback(counted_wait)
    yield seen
    psycopg2.extensions.set_wait_callback(wait)


@pytest.fixture(autouse=True)
def connections(api: ApiUnderTest) -> None:
    """As many open connections as threads answer requests: one that an accept makes because the background threads hold
    the others, would count as round trips of that accept."""
    pool = api.resources.request_queue._redis.connection_pool
    with ExitStack() as held:
        for _ in range(api.resources.settings.web_threads):
            held.enter_context(api.resources.database.connection())
            held.callback(pool.release, pool.get_connection())


def _accept(manager: Caller, **headers: str) -> None:
    answer = manager.post(CREATE, json={"email": new_email(), "full_name": "Anna K."}, headers=headers)
    assert answer.status_code == 202, answer.text


def test_one_round_trip_to_each(manager: Caller, wire: Wire) -> None:
    _accept(manager)  # its connections, its token and the mode are known from now on
    wire.forget()
    began = time.monotonic()
    for number in range(ACCEPTS):
        _accept(manager, **({"Idempotency-Key": f"key {number}"} if number % 2 else {}))
    token_queries_at_most = math.ceil((time.monotonic() - began) / TOKEN_CACHE_TTL) + 1
    assert wire.count(INSERT) == ACCEPTS
    assert wire.count(MODE_QUERY) == 0
    assert wire.count(TOKEN_QUERY) <= token_queries_at_most
    # Nothing but these, and no BEGIN, COMMIT or ping between them, which would be no statement but a round trip.
    assert len(wire.statements) == ACCEPTS + wire.count(TOKEN_QUERY)
    assert wire.database_round_trips == len(wire.statements)
    assert wire.redis_writes == ACCEPTS


def test_the_pipeline_is_one_transaction_that_ends_with_the_push(manager: Caller, redis_url: str) -> None:
    _accept(manager)
    # The figures' thread counts meanwhile, on a connection of its own.
    by_port: dict[str, list[str]] = defaultdict(list)
    with Redis.from_url(redis_url) as redis, redis.monitor() as monitor:
        _accept(manager)
        commands: list[str] = []
        while "RPUSH" not in commands or commands[-1] != "EXEC":
            said = monitor.next_command()
            commands = by_port[said["client_port"]]
            commands.append(said["command"].split()[0])
    assert commands[0] == "MULTI"
    assert commands[-2] == "RPUSH"
    assert commands.count("RPUSH") == 1
