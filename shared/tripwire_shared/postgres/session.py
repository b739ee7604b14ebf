"""One session with PostgreSQL and its limits, also where a pooler stands between.

A transaction pooler lends one session of the server to many clients, to each for a transaction: what is SET there stays
behind for others, and does not hold for us. So limits are set for a session only where it is ours; behind any pooler
each transaction gets them with its first statement, in the same round trip, and they end with it. (Not settings of the
role: they would hold for all who use it, Supabase's SQL editor too.)
"""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2
import psycopg2.extensions
import psycopg2.extras

from tripwire_shared.network.host_addresses import with_addresses
from tripwire_shared.network.name_lookups import NameLookups
from tripwire_shared.timings import (
    CLIENT_CHECK_MS,
    CONNECT_TIMEOUT,
    IDLE_IN_TRANSACTION_MS,
    LOCK_TIMEOUT_MS,
    SERVER_KEEPALIVE_IDLE,
    STATEMENT_TIMEOUT_MS,
    TCP_USER_TIMEOUT_MS,
)

Connection = psycopg2.extensions.connection

_LIMITS = {
    "statement_timeout": STATEMENT_TIMEOUT_MS,
    "lock_timeout": LOCK_TIMEOUT_MS,
    "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_MS,
    "client_connection_check_interval": CLIENT_CHECK_MS,
    "TimeZone": "UTC",
}
# The server too looks whether the client is there: the receipt of a vanished host ends with its session. Behind a
# pooler the server's client is the pooler, which looks after its own.
_KEEPALIVES = {"tcp_keepalives_idle": SERVER_KEEPALIVE_IDLE, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3}

# Nothing is set where the session is not ours: a pooler makes up the process id that it tells its clients, for it may
# be asked to cancel what runs on any of its sessions.
_SET_WHERE_OURS = "SELECT {} WHERE pg_backend_pid() = %s".format(
    ", ".join(f"set_config('{name}', '{value}', false)" for name, value in {**_LIMITS, **_KEEPALIVES}.items())
)
_SET_FOR_A_TRANSACTION = "".join(f"SET LOCAL {name} = '{value}';" for name, value in _LIMITS.items())

# Of questions which session two connections have, at most. On a pooler that nobody else uses the first round tells;
# with four connections busy on it one round misses one time in 6, two one in 75, six (by that) one in some 100,000.
_ROUNDS = 6


class SessionShared(Exception):
    """LISTEN was wanted where a transaction pooler lends the session to others."""


class _CursorBehindPooler(psycopg2.extras.NamedTupleCursor):
    """Gives each transaction its limits. Several statements in one message are one transaction, also in autocommit."""

    def execute(self, query: Any, vars: Any = None) -> None:
        if self.connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_IDLE:
            if isinstance(query, bytes):
                query = _SET_FOR_A_TRANSACTION.encode() + query
            else:
                query = _SET_FOR_A_TRANSACTION + query
        super().execute(query, vars)  # type: ignore[no-untyped-call]


def is_ours(connection: Connection) -> bool:
    """Whether the server's session is this connection's alone, and what it says of itself its own."""
    return connection.cursor_factory is not _CursorBehindPooler


def connect(
    url: str, application_name: str, lookups: NameLookups | None = None, look_up_limit: float = CONNECT_TIMEOUT
) -> Connection:
    """One connection in autocommit with the server-side limits that end what a vanished client leaves behind.

    `lookups`: of whoever connects often; `look_up_limit`: seconds for the server's addresses. Raises
    psycopg2.OperationalError, or StatementTooSlow where the server stays silent.
    """
    until, found = time.monotonic() + look_up_limit, lookups or NameLookups()
    try:
        addresses = with_addresses(
            psycopg2.extensions.parse_dsn(url), lambda host: found.addresses(host, until - time.monotonic())
        )
    except OSError as error:
        raise psycopg2.OperationalError("the database's name could not be looked up") from error
    connection = psycopg2.connect(
        psycopg2.extensions.make_dsn(url, **addresses),
        # No limits among the start-up parameters: poolers refuse them.
        application_name=application_name,
        connect_timeout=CONNECT_TIMEOUT,
        keepalives_idle=2,
        keepalives_interval=1,
        keepalives_count=3,
        tcp_user_timeout=TCP_USER_TIMEOUT_MS,
        cursor_factory=psycopg2.extras.NamedTupleCursor,
    )
    connection.autocommit = True
    psycopg2.extras.register_uuid(conn_or_curs=connection)  # type: ignore[no-untyped-call]
    with connection.cursor() as cursor:
        cursor.execute(_SET_WHERE_OURS, (connection.info.backend_pid,))
        if cursor.rowcount == 0:
            connection.cursor_factory = _CursorBehindPooler
    return connection


def connect_to_listen(url: str, application_name: str, lookups: NameLookups | None = None) -> Connection:
    """A connection on which LISTEN hears. Raises as `connect` does, and SessionShared."""
    connection = connect(url, application_name, lookups)
    try:
        if not is_ours(connection):
            _refuse_shared(connection, lambda: connect(url, application_name, lookups))
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_shared(one: Connection, connect_another: Callable[[], Connection]) -> None:
    """Raises SessionShared where the pooler lends out sessions for less than a connection.

    It has then given us two sessions on one connection, or the same one on two. Of idle sessions a pooler takes the one
    used last, or the one that rested longest: asked twice and then once, either shows. Where others are busy on it, it
    is a matter of a few questions; two sessions of our own never look like that, so what is refused is surely shared.
    """
    with closing(connect_another()) as other:
        seen: tuple[set[int], set[int]] = (set(), set())
        for _ in range(_ROUNDS):
            seen[0].update((_session_of(one), _session_of(one)))
            seen[1].add(_session_of(other))
            if max(map(len, seen)) > 1 or seen[0] == seen[1]:
                raise SessionShared


def _session_of(connection: Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])
