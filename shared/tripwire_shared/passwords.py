"""Hashing of staff's and customers' passwords: argon2id with the library's defaults (about 190 ms, 64 MiB)."""

import threading

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

from tripwire_shared.database import off_the_clock

# 64 MiB each: more at once would only make all of them slower, and the process larger.
AT_ONCE = 2


class PasswordHasher:
    """At most two hashes at once in a process. Never call it inside a transaction or on the accept path.

    Its time is not the database's, so it does not count against a budget for that.
    """

    def __init__(self) -> None:
        self._argon2 = Argon2()
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def hash(self, password: str) -> str:
        with off_the_clock(), self._slots:
            return self._argon2.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        with off_the_clock(), self._slots:
            try:
                return self._argon2.verify(password_hash, password)
            except (VerificationError, InvalidHashError):
                return False
