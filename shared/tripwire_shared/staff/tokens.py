"""Bearer tokens: random, kept as SHA-256 only, asked for at most once a second in each process."""

import contextlib
import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.database import Database
from tripwire_shared.errors import DatabaseUnavailable, NotFound
from tripwire_shared.health.background_writer import BackgroundWriter
from tripwire_shared.sql import load_queries
from tripwire_shared.staff.staff import Role, Staff, StaffName
from tripwire_shared.timings import TOKEN_CACHE_TTL, TOKEN_USE_NOTED_EVERY

PREFIX = "tsm_"
TOKEN_BYTES = 32
CACHE_SIZE = 1_000


@dataclass(frozen=True)
class NewToken:
    """`token` is shown this once."""

    id: UUID
    token: str
    name: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class TokenListed:
    id: UUID
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    created_by: StaffName | None


@dataclass
class _Entry:
    """What is known of one token. The lock makes one thread ask while the others wait for its answer."""

    lock: threading.Lock
    good_until: float = float("-inf")
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
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def authenticate(self, token: str) -> Staff | None:
        """Whose token it is; None where it is unknown, ended or revoked, or its account deactivated.

        The answer may be 0.8 s old: a revocation holds everywhere within a second, without any message.
        """
        digest = _hash(token)
        entry = self._entry(digest)
        if self._clock() >= entry.good_until:
            with entry.lock:
                if self._clock() >= entry.good_until:
                    self._ask(entry, digest)
        self._note_use(entry)
        return entry.staff

    def _ask(self, entry: _Entry, digest: bytes) -> None:
        asked_at = self._clock()
        row = self._database.read(lambda connection: self._sql.find_token(connection, token_hash=digest))
        entry.staff = None if row is None else Staff(row.id, row.email, row.full_name, Role(row.role), row.active)
        entry.token_id = None if row is None else row.token_id
        # Counted from before the question, so that the answer is never older than it may be.
        entry.good_until = asked_at + TOKEN_CACHE_TTL

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
        self, staff_id: UUID, name: str, *, kind: str = "api", seconds: float | None = None, by: UUID | None = None
    ) -> NewToken:
        """A new token that ends after `seconds` (never, where None)."""
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
            )
            if by is not None:
                detail = {"staff_id": str(staff_id), "token_id": str(row.id), "name": name}
                self._activity.write(connection, Action.TOKEN_MADE, by, detail=detail)
        return NewToken(row.id, token, row.name, row.created_at, row.expires_at)

    def list(self, staff_id: UUID) -> list[TokenListed]:
        rows = self._database.read(lambda connection: list(self._sql.list_tokens(connection, staff_id=staff_id)))
        return [
            TokenListed(
                row.id, row.name, row.created_at, row.expires_at, row.last_used_at,
                None if row.made_by_id is None else StaffName(row.made_by_id, row.email, row.full_name),
            )
            for row in rows
        ]  # fmt: skip

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
            self._entries.pop(digest, None)

    def _entry(self, digest: bytes) -> _Entry:
        with self._lock:
            entry = self._entries.get(digest)
            if entry is None:
                entry = self._entries[digest] = _Entry(threading.Lock())
                if len(self._entries) > CACHE_SIZE:
                    self._entries.popitem(last=False)
            else:
                self._entries.move_to_end(digest)
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
