"""What PostgreSQL's errors mean: trouble of the server that passes, or of this very statement. Speaks to nobody."""

import psycopg2

from tripwire_shared.errors import (
    ConnectionLost,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseTakesNoWrites,
    DatabaseUnavailable,
    StatementEnded,
)
from tripwire_shared.logs import get_logger

# Of the server, and passes by itself: connection trouble, shutdown, start and recovery, memory or connections used up,
# its machine's trouble, a session ended, and what its present state forbids (no transactions left, a prerequisite).
_PASSING = ("08", "57P", "53", "58", "25P03", "54000", "55000")
_READ_ONLY, _FULL = "25006", "53100"
# Nobody's statement either: rights, schemas, tables, columns or functions are missing, as in the middle of a restore.
_LACKING = ("42501", "42P01", "42703", "42883", "3F000", "3D000")
# Of one statement and not of the server: cancelled, a lock not had in time, serialisation, deadlock.
_ENDED = ("57014", "55P03", "40001", "40P01")


def passing_error(error: BaseException, *, lost: bool) -> DatabaseUnavailable | None:
    """What to raise instead; None where the statement itself is to blame. `lost`: its connection is gone."""
    if not isinstance(error, psycopg2.Error):
        return None
    code = error.pgcode
    if code == _READ_ONLY:
        return DatabaseReadOnly()
    if lost:
        return ConnectionLost()
    if code is None:
        broken = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
        return DatabaseUnavailable() if broken else None
    return _by_code(code)


def _by_code(code: str) -> DatabaseUnavailable | None:
    if code == _FULL:
        return DatabaseFull()
    if code in _LACKING:
        get_logger(__name__).error("the database lacks what is asked for", sqlstate=code)
        return DatabaseTakesNoWrites("The database lacks tables or rights that it needs.")
    if code.startswith(_PASSING):
        return DatabaseUnavailable()
    return StatementEnded() if code in _ENDED else None
