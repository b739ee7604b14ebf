"""Bearer tokens: random, kept as SHA-256 only, asked for at most once a second in each process.

Whoever sends tokens that are none must not cost those who have one: decision 0026 (docs/decisions).
"""

import contextlib
import hashlib
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.staff import ApiToken, MadeToken, StaffName
from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.errors import Conflict, DatabaseUnavailable, NotFound, TripwireError
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.network.client_address import one_client
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.rate_limit import RateLimit
from tripwire_shared.staff.staff import Staff
from tripwire_shared.timings import TOKEN_CACHE_TTL, TOKEN_USE_NOTED_EVERY

PREFIX = "tsm_"
TOKEN_BYTES = 32
_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")  # 32 bytes in base64 without padding
# Good tokens, and besides them those that were tried and are not (any more) good: no number of the second pushes out
# one of the first.
GOOD_AT_MOST, REFUSED_AT_MOST = 10_000, 1_000
# How many tokens that this process does not know as good are looked up in a second, for one client and over all, and
# twice as many at once. All of them: 250 reads of an index a second, some hundredths of one core of PostgreSQL.
UNKNOWN_OF_A_CLIENT, UNKNOWN_OVER_ALL = 50, 250


class TooManyUnknownTokens(TripwireError):
    """Too many tokens that are not known here were tried; wait a second, then try again."""


class Deactivated(Conflict):
    """This account is deactivated: it gets no token."""


@dataclass
class _Entry:
    """What is known of one token. The lock makes one thread ask while the others wait for its answer."""

    lock: threading.Lock
    good_until: float = float("-inf")
    good: bool = False
    staff: Staff | None = None
    token_id: UUID | None = None
    use_noted_at: float = float("-inf")


class Tokens:
    def __init__(
        self,
        database: Database,
        activity: ActivityLog,
        writer: BackgroundWriter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._activity, self._writer, self._clock = database, activity, writer, clock
        self._sql = load_queries(__file__)
        self._good: OrderedDict[bytes, _Entry] = OrderedDict()
        self._refused: OrderedDict[bytes, _Entry] = OrderedDict()
        # For both. A token moves from one to the other with the answer about it.
        self._lock = threading.Lock()
        self._of_client, self._over_all = RateLimit(UNKNOWN_OF_A_CLIENT, clock), RateLimit(UNKNOWN_OVER_ALL, clock)

    def authenticate(self, token: str, address: Callable[[], str]) -> Staff | None:
        """Whose token it is; None where it is unknown, ended or revoked, or its account deactivated. `address`: of the
        client, asked for only where this process does not know the token.

        The answer may be 0.8 s old: a revocation holds everywhere within a second, without any message. Raises
        TooManyUnknownTokens, which says nothing about this one.
        """
        if not _TOKEN.fullmatch(token):
            return None
        digest = _hash(token)
        entry = self._entry(digest)
        if self._clock() >= entry.good_until:
            with entry.lock:
                if self._clock() >= entry.good_until:
                    self._ask(entry, digest, address)
        self._note_use(entry)
        return entry.staff

    def _ask(self, entry: _Entry, digest: bytes, address: Callable[[], str]) -> None:
        asked_at = self._clock()
        # The client's own limit first: what it is refused uses up nothing of the others'.
        if not (entry.good or (self._of_client.take(one_client(address())) and self._over_all.take(""))):
            raise TooManyUnknownTokens
        row = self._database.read(lambda connection: self._sql.find_token(connection, token_hash=digest))
        entry.staff = None if row is None else Staff(row.id, row.email, row.full_name, Role(row.role), row.active)
        entry.token_id = None if row is None else row.token_id
        # Counted from before the question, so that the answer is never older than it may be.
        entry.good_until = asked_at + TOKEN_CACHE_TTL
        if entry.good != (row is not None):
            self._move(entry, digest, good=row is not None)

    def _move(self, entry: _Entry, digest: bytes, *, good: bool) -> None:
        into, at_most = (self._good, GOOD_AT_MOST) if good else (self._refused, REFUSED_AT_MOST)
        with self._lock:
            entry.good = good
            self._forget(digest)
            into[digest] = entry
            if len(into) > at_most:
                into.popitem(last=False)

    def _forget(self, digest: bytes) -> None:
        """Call with the lock held."""
        self._good.pop(digest, None)
        self._refused.pop(digest, None)

    def _note_use(self, entry: _Entry) -> None:
        """Soon and in the background. Two threads at once may both submit it: the statement writes once."""
        now = self._clock()
        if entry.token_id is not None and now >= entry.use_noted_at + TOKEN_USE_NOTED_EVERY:
            entry.use_noted_at = now
            self._writer.submit(_TokenUsed(self, entry.token_id))

    def note_use(self, token_id: UUID) -> None:
        with self._database.connection() as connection:
            self._sql.note_use(connection, id=token_id, every=TOKEN_USE_NOTED_EVERY)

    def make(
        self,
        staff_id: UUID,
        name: str,
        *,
        kind: str = "api",
        seconds: float | None = None,
        by: UUID | None = None,
        password_hash: str | None = None,
    ) -> MadeToken:
        """A new token that ends after `seconds` (never, where None).

        Raises Deactivated; also where `password_hash` is given and is not the account's any more.
        """
        token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        with self._database.transaction() as connection:
            row = self._sql.insert_token(
                connection,
                id=uuid4(),
                staff_id=staff_id,
                token_hash=_hash(token),
                kind=kind,
                name=name,
                created_by=by,
                seconds=seconds,
                password_hash=password_hash,
            )
            if row is None:
                raise Deactivated
            if by is not None:
                detail = {"staff_id": str(staff_id), "token_id": str(row.id), "name": name}
                self._activity.write(connection, Action.TOKEN_MADE, by, detail=detail)
        return from_row(MadeToken, row, token=token)

    def list(self, staff_id: UUID) -> tuple[ApiToken, ...]:
        """Those that are not revoked, newest first; no sessions."""
        rows = self._database.read(lambda connection: list(self._sql.list_tokens(connection, staff_id=staff_id)))
        return tuple(
            from_row(
                ApiToken,
                row,
                created_by=None if row.made_by_id is None else StaffName.of(row.made_by_id, row.email, row.full_name),
            )
            for row in rows
        )

    def revoke(self, staff_id: UUID, token_id: UUID, by: UUID) -> None:
        """Raises NotFound."""
        with self._database.transaction() as connection:
            if not self._sql.revoke_token(connection, id=token_id, staff_id=staff_id):
                raise NotFound("There is no such token.")
            detail = {"staff_id": str(staff_id), "token_id": str(token_id)}
            self._activity.write(connection, Action.TOKEN_REVOKED, by, detail=detail)

    def end_session(self, token: str) -> None:
        """Signing out: the token is no good any more, in this process at once."""
        digest = _hash(token)
        with self._database.connection() as connection:
            self._sql.revoke_by_hash(connection, token_hash=digest)
        with self._lock:
            self._forget(digest)

    def _entry(self, digest: bytes) -> _Entry:
        with self._lock:
            if (entry := self._good.get(digest)) is not None:
                self._good.move_to_end(digest)
                return entry
            # Not known yet stands among the refused. One that is pushed out while it is asked for is asked for by the
            # next caller too: each of them pays for it out of the same limits.
            entry = self._refused.get(digest)
            if entry is None:
                entry = self._refused[digest] = _Entry(threading.Lock())
                if len(self._refused) > REFUSED_AT_MOST:
                    self._refused.popitem(last=False)
            else:
                self._refused.move_to_end(digest)
            return entry


class _TokenUsed:
    """The news that a token is in use. Where the database is away it is dropped: the next use tells the same."""

    def __init__(self, tokens: Tokens, token_id: UUID) -> None:
        self._tokens, self._token_id = tokens, token_id

    def write(self) -> None:
        with contextlib.suppress(DatabaseUnavailable):
            self._tokens.note_use(self._token_id)

    def say_without_database(self) -> None:
        return


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
