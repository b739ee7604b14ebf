"""Signing in, and its throttle. argon2 never runs inside a transaction, and never before the throttle."""

import threading

from tripwire_shared.email_address import both_forms, normalised_email
from tripwire_shared.network.client_address import one_client
from tripwire_shared.passwords import AT_ONCE, PasswordHasher
from tripwire_shared.postgres.database import Database, off_the_clock
from tripwire_shared.postgres.sql import load_queries
from tripwire_shared.staff.staff import LoginThrottled, Session, WrongCredentials
from tripwire_shared.staff.staff_store import staff_of
from tripwire_shared.staff.tokens import Deactivated, Tokens
from tripwire_shared.timings import LOGIN_FAILURES_PER_ACCOUNT, LOGIN_FAILURES_PER_ADDRESS, LOGIN_WINDOW, SESSION_TTL


class SignIn:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, hasher: PasswordHasher, tokens: Tokens) -> None:
        self._database, self._hasher, self._tokens = database, hasher, tokens
        self._sql = load_queries(__file__)
        # A try counts as a failure until it is taken back: so few at once in a process that people who sign in at the
        # same moment, each with the right password, do not close the account to each other.
        self._signing_in = threading.BoundedSemaphore(AT_ONCE)

    def refuse_throttled(self, email: str, address: str) -> None:
        """Raises LoginThrottled where a sign-in would, without counting as one: who is refused anyway must not take
        anybody's place first. `address`: the client's, of which an IPv6 one counts by its /64."""
        limits = {"account_limit": LOGIN_FAILURES_PER_ACCOUNT, "address_limit": LOGIN_FAILURES_PER_ADDRESS}
        few = self._database.read(
            lambda connection: self._sql.may_log_in(
                connection, email=normalised_email(email), address=one_client(address), window=LOGIN_WINDOW, **limits
            )
        )
        if not few:
            raise LoginThrottled

    def with_password(self, email: str, password: str, address: str) -> Session:
        """Raises LoginThrottled (five failures a minute for an account from one address, fifty for an address over
        all accounts, of IPv6 addresses by their /64) or WrongCredentials, which does not tell whether the account
        exists."""
        with off_the_clock():
            self._signing_in.acquire()
        try:
            return self._verified(normalised_email(email), password, one_client(address))
        finally:
            self._signing_in.release()

    def _verified(self, email: str, password: str, address: str) -> Session:
        attempt = self._begin(email, address)
        row = self._database.read(lambda connection: self._sql.find_credentials(connection, emails=both_forms(email)))
        # Where there is no account something is verified all the same, so that its absence does not show in the time.
        password_hash = row.password_hash if row is not None and row.password_hash else self._hasher.hash_of_nobody()
        right = self._hasher.verify(password_hash, password)
        if not right or row is None or not row.active or not row.password_hash:
            raise WrongCredentials
        try:
            made = self._tokens.make(
                row.id, "session", kind="session", seconds=SESSION_TTL, password_hash=row.password_hash
            )
        except Deactivated:  # or the password was changed, while this one was being verified
            raise WrongCredentials from None
        with self._database.connection() as connection:
            self._sql.forgive_login(connection, id=attempt)
        assert made.expires_at is not None  # a session always ends
        return Session(made.token, made.expires_at, staff_of(row))

    def _begin(self, email: str, address: str) -> int:
        with self._database.transaction() as connection:
            self._sql.lock_address(connection, address=address)
            attempt: int | None = self._sql.begin_login(
                connection, email=email, address=address, window=LOGIN_WINDOW,
                account_limit=LOGIN_FAILURES_PER_ACCOUNT, address_limit=LOGIN_FAILURES_PER_ADDRESS,
            )  # fmt: skip
        if attempt is None:
            raise LoginThrottled
        return attempt
