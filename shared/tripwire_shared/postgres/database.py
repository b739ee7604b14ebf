"""PostgreSQL for one process: a bounded pool, `connection()` for single statements, `transaction()` for the commit.

libpq blocks in C; without a wait callback neither the 2 s of a 503 nor a job's limit would hold against a silent
server. `install_wait_limit` sets one for the whole process: every wait for the server ends after the statement limit,
or earlier where the thread set itself a budget with `within()`. How it waits is the process' `Runtime`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import psycopg2
import psycopg2.extensions
import psycopg2.extras
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from tripwire_shared.errors import (
    ConnectionLost,
    DatabaseReadOnly,
    DatabaseTakesNoWrites,
    DatabaseUnavailable,
    PoolExhausted,
)
from tripwire_shared.network.name_lookups import NameLookups
from tripwire_shared.postgres.server_errors import passing_error
from tripwire_shared.postgres.session import connect, is_ours
from tripwire_shared.postgres.silence import Silence
from tripwire_shared.runtime import THREADS, ServerWait
from tripwire_shared.timings import CONNECT_TIMEOUT, POOL_TIMEOUT, SILENCE_DOUBTED_AFTER

T = TypeVar("T")
Connection = psycopg2.extensions.connection

# What the server tells each session of itself: that it is read-only.
_ONLY_READS = ("default_transaction_read_only", "in_hot_standby")

_budget = threading.local()
# Beside the wait callback, which is the process' too.
_silence = Silence()


class StatementTooSlow(DatabaseUnavailable):
    """The database did not answer in time."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Gives this thread `seconds` for the block: no wait for the database in it goes on after that."""
    outer: float | None = getattr(_budget, "deadline", None)
    _budget.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        _budget.deadline = outer


@contextmanager
def off_the_clock() -> Iterator[None]:
    """What this thread does in the block (hash a password, hold an answer back) is not counted by `within()`."""
    began = time.monotonic()
    try:
        yield
    finally:
        deadline: float | None = getattr(_budget, "deadline", None)
        if deadline is not None:
            _budget.deadline = deadline + time.monotonic() - began


def time_left() -> float | None:
    """The seconds that `within()` leaves this thread (not more than zero: none); None where it set no limit."""
    deadline: float | None = getattr(_budget, "deadline", None)
    return None if deadline is None else deadline - time.monotonic()


def install_wait_limit(statement_limit: float, server_wait: ServerWait) -> None:
    """Bounds every wait of psycopg2 in this process to `statement_limit` seconds.

    Only raises: psycopg2 then marks the connection as broken; closing it inside the callback would hang.
    """

    def wait(connection: Connection) -> None:
        asked_at = time.monotonic()
        deadline = asked_at + statement_limit
        budget: float | None = getattr(_budget, "deadline", None)
        if budget is not None:
            deadline = min(deadline, budget)
        while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                _silence.unanswered(asked_at)
                raise StatementTooSlow
            to_read = state == psycopg2.extensions.POLL_READ
            seconds = min(remaining, SILENCE_DOUBTED_AFTER)
            server_wait.until_ready(connection.fileno(), to_read=to_read, seconds=seconds)
            if time.monotonic() - asked_at >= SILENCE_DOUBTED_AFTER:
                _silence.doubt(asked_at)
        _silence.heard()

    psycopg2.extensions.set_wait_callback(wait)


def ask_in_doubt(ask_server: Callable[[], None]) -> None:
    """Names who asks the server whether it is there, for all of this process, while a statement waits for long."""
    _silence.ask_server = ask_server


class Database:
    """The process' pool. Build it after fork; safe for threads."""

    def __init__(
        self,
        url: str,
        *,
        application_name: str,
        pool_size: int,
        statement_limit: float,
        server_wait: ServerWait = THREADS.wait,
    ) -> None:
        install_wait_limit(statement_limit, server_wait)
        psycopg2.extensions.register_adapter(dict, psycopg2.extras.Json)
        # Called with the reason where the server refuses what it should take; must return at once.
        self.on_refused: Callable[[str], None] = lambda _: None
        # Whoever waits for a connection stands here, not in the pool, whose patience knows nothing of `within()`.
        lookups = NameLookups()
        self._free = threading.BoundedSemaphore(pool_size)
        self._pool = QueuePool(
            # psycopg2's connection has no type that SQLAlchemy's protocol knows.
            cast("Any", lambda: connect(url, application_name, lookups, _look_up_limit())),
            pool_size=pool_size,
            max_overflow=0,
            timeout=POOL_TIMEOUT,  # nobody waits for it: there is one for each who has passed `_free`
            # The one used last: its server process is warm. In turn, each statement costs a fifth more (measured).
            use_lifo=True,
            # connection() hands none back with a transaction under way.
            reset_on_return=None,
        )
        event.listen(self._pool, "connect", lambda _, record: record.info.update(new=True))
        event.listen(
            self._pool, "checkout", lambda connection, record, _: _refuse_unfit(connection, record, server_wait)
        )

    def close(self) -> None:
        self._pool.dispose()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit: each statement is its own transaction and one round trip.

        Raises DatabaseUnavailable; ConnectionLost where a statement's outcome is unknown; PoolExhausted.
        """
        self._wait_for_turn()
        try:
            with self._checked_out(self._checkout()) as connection:
                yield connection
        finally:
            self._free.release()

    @contextmanager
    def _checked_out(self, proxied: PoolProxiedConnection) -> Iterator[Connection]:
        connection: Connection = proxied.dbapi_connection  # type: ignore[assignment]  # the pool makes psycopg2's
        try:
            yield connection
        except BaseException as error:
            passing = passing_error(error, lost=bool(connection.closed))
            # Also for an exception of our own (a job's limit) that broke into a wait: such a connection is unusable.
            # And a new one may lead to another server by now, or the same take writes again.
            unfit = connection.closed or connection.isexecuting() or _is_open(connection)
            if unfit or isinstance(passing, DatabaseReadOnly):
                proxied.invalidate()
            if passing is None:
                raise
            if isinstance(passing, DatabaseTakesNoWrites):
                self.on_refused(str(passing))
            raise passing from error
        finally:
            proxied.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection inside BEGIN … COMMIT; rolls back on any exception. Raises like `connection()`."""
        with self.connection() as connection:
            connection.autocommit = False
            try:
                yield connection
                connection.commit()
            except BaseException:
                if not connection.closed:
                    _rollback(connection)
                raise
            finally:
                if not connection.closed and not _is_open(connection):
                    connection.autocommit = True

    def read(self, query: Callable[[Connection], T]) -> T:
        """Runs a reading `query`, once more on a fresh connection where the first was found broken."""
        try:
            with self.connection() as connection:
                return query(connection)
        except ConnectionLost:
            with self.connection() as connection:
                return query(connection)

    def refuse_while_silent(self) -> None:
        """Raises DatabaseUnavailable at once where nobody hears anything from the server. For who would have to wait
        for another's question; who asks itself is refused, or gets its turn to try, when it asks."""
        _silence.refuse()

    def _wait_for_turn(self) -> None:
        """Raises PoolExhausted, at the end of the caller's budget at the latest; DatabaseSilent at once."""
        left = time_left()
        _silence.check(hurried=left is not None)
        patience = POOL_TIMEOUT if left is None else max(0.0, min(POOL_TIMEOUT, left))
        if not self._free.acquire(timeout=patience):
            raise PoolExhausted

    def _checkout(self) -> PoolProxiedConnection:
        try:
            return self._pool.connect()
        except PoolTimeout as error:
            raise PoolExhausted from error
        except (psycopg2.Error, InvalidRequestError) as error:  # the latter: dropped as soon as made
            raise DatabaseUnavailable from error


def _refuse_unfit(connection: Connection, record: Any, server_wait: ServerWait) -> None:
    """Has the pool replace a connection without a word to the server, so that nobody meets one that is of no use:

    - The server has closed it. An idle connection has nothing to read; where it has, that is the server's farewell.
    - It was read-only when last heard of, and the server tells each session of that. A new session says how it is now:
      a default of the database is taken once, when a session begins.
    """
    if record.info.pop("new", False):
        return
    try:
        if is_ours(connection) and "on" in map(connection.info.parameter_status, _ONLY_READS):
            raise DisconnectionError
        dropped = server_wait.has_input(connection.fileno())
    except psycopg2.InterfaceError:
        raise DisconnectionError from None
    if dropped:
        raise DisconnectionError


def _is_open(connection: Connection) -> bool:
    """Whether a transaction is under way on it (known without asking the server)."""
    idle = psycopg2.extensions.TRANSACTION_STATUS_IDLE
    return not connection.closed and connection.info.transaction_status != idle


def _rollback(connection: Connection) -> None:
    try:
        connection.rollback()
    except (psycopg2.Error, DatabaseUnavailable):
        # The connection is gone, and with it the transaction; connection() takes it out of the pool.
        return


def _look_up_limit() -> float:
    left = time_left()
    return CONNECT_TIMEOUT if left is None else min(CONNECT_TIMEOUT, left)
