"""Bearer tokens: random, kept as SHA-256 only, asked for at most once a second in each process."""

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
from tripwire_shared.errors import NotFound
from tripwire_shared.sql import load_queries
from tripwire_shared.staff.staff import Role, Staff
from tripwire_shared.timings import TOKEN_CACHE_TTL

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


@dataclass
class _Entry:
    """What is known of one token. The lock makes one thread ask while the others wait for its answer."""

    lock: threading.Lock
    good_until: float
    staff: Staff | None


class Tokens:
    def __init__(self, database: Database, activity: ActivityLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._activity, self._clock = database, activity, clock
        self._sql = load_queries(__file__)
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def authenticate(self, token: str) -> Staff | None:
        """Whose token it is; None where it is unknown, ended or revoked, or its account deactivated.

        The answer may be 0.8 s old: a revocation holds everywhere within a second, without any message.
        """
        digest = _hash(token)
        entry = self._entry(digest)
        if self._clock() < entry.good_until:
            return entry.staff
        with entry.lock:
            if self._clock() >= entry.good_until:
                asked_at = self._clock()
                row = self._database.read(lambda connection: self._sql.find_token(connection, token_hash=digest))
                staff = None if row is None else Staff(row.id, row.email, row.full_name, Role(row.role), row.active)
                # Counted from before the question, so that the answer is never older than it may be.
                entry.staff, entry.good_until = staff, asked_at + TOKEN_CACHE_TTL
            return entry.staff

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
                seconds=seconds,
            )
            if by is not None:
                detail = {"staff_id": str(staff_id), "token_id": str(row.id), "name": name}
                self._activity.write(connection, Action.TOKEN_MADE, by, detail=detail)
        return NewToken(row.id, token, row.name, row.created_at, row.expires_at)

    def list(self, staff_id: UUID) -> list[TokenListed]:
        rows = self._database.read(lambda connection: list(self._sql.list_tokens(connection, staff_id=staff_id)))
        return [TokenListed(row.id, row.name, row.created_at, row.expires_at) for row in rows]

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
                entry = self._entries[digest] = _Entry(threading.Lock(), float("-inf"), None)
                if len(self._entries) > CACHE_SIZE:
                    self._entries.popitem(last=False)
            else:
                self._entries.move_to_end(digest)
            return entry


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
