"""Several writes in one round trip to PostgreSQL, where nobody needs their results."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from tripwire_shared.database import Connection


@contextmanager
def one_round_trip(connection: Connection) -> Iterator[Connection]:
    """Stores write to what this gives as to `connection`; their statements go to the server together, at the block's
    end and in their order. Only inside a transaction, and only for queries that ask nothing back (`!`): another one
    fails at once, for want of rows to fetch. An exception in the block sends none.

    A statement that fails raises here, and the server has then run none of those behind it.
    """
    writes = _Writes(connection)
    yield cast("Connection", writes)
    with connection.cursor() as cursor:
        cursor.execute(b"\n;".join(writes.statements))


class _Writes:
    """As much of a connection as aiosql uses for a write."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.statements: list[bytes] = []

    def cursor(self) -> "_Writes":
        return self

    def execute(self, statement: str, parameters: Mapping[str, object]) -> None:
        with self._connection.cursor() as cursor:
            self.statements.append(cursor.mogrify(statement, parameters))

    def close(self) -> None:
        return
