"""Hashing of staff's and customers' passwords: argon2id with the library's defaults (about 190 ms, 64 MiB)."""

import base64
import secrets
import threading

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from tripwire_shared.errors import TripwireError
from tripwire_shared.postgres.database import off_the_clock
from tripwire_shared.runtime import THREADS, Compute

# 64 MiB each: more at once would only make all of them slower, and the process larger.
AT_ONCE = 2


class HasherBusy(TripwireError):
    """Others are hashing; it did not come to this one in time."""


class PasswordHasher:
    """At most two hashes at once in a process. Never call it inside a transaction or on the accept path.

    Its time is not the database's, so it does not count against a budget for that.
    """

    def __init__(self, compute: Compute = THREADS.compute) -> None:
        self._argon2, self._compute = Argon2(), compute
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def hash(self, password: str, patience: float | None = None) -> str:
        """Raises HasherBusy where its turn does not come within `patience` seconds (None: however long it takes)."""
        with off_the_clock():
            if not self._slots.acquire(timeout=patience):
                raise HasherBusy
            try:
                return self._compute(lambda: self._argon2.hash(password))
            finally:
                self._slots.release()

    def hash_of_nobody(self) -> str:
        """A hash that no password has, as costly to verify as a real one and without the cost of making one."""
        costs = f"m={self._argon2.memory_cost},t={self._argon2.time_cost},p={self._argon2.parallelism}"
        salt, tag = (_random_base64(size) for size in (self._argon2.salt_len, self._argon2.hash_len))
        return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${tag}"

    def verify(self, password_hash: str, password: str) -> bool:
        with off_the_clock(), self._slots:
            try:
                return self._compute(lambda: self._argon2.verify(password_hash, password))
            except (VerificationError, InvalidHashError):
                return False


def _random_base64(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
