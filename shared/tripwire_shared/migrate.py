"""Applies pending migrations: `python -m tripwire_shared.migrate db/migrations` (DATABASE_URL from the settings; the
direct address, where there is one: what a migration sets for its session would stay behind in a pooler).

yoyo reads the files and keeps the list of what was applied. Around it stand two rules of our own: a migration and the
note that it was applied are one transaction, and whoever migrates holds a lock that ends with its connection. So a
process killed at any point leaves nothing half and nothing locked, and several hosts may call this at the same time.

What cannot stand in a transaction (CREATE INDEX CONCURRENTLY) says `-- transactional: false`. Its statements are
committed one by one, and broken off it is run again from its beginning: each of them must bear that.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.connections import parse_uri
from yoyo.exceptions import BadMigration
from yoyo.migrations import default_migration_table

from tripwire_shared.log_text import hidden
from tripwire_shared.migration_rules import refused_contracts
from tripwire_shared.postgres.listen_url import check_listen_url
from tripwire_shared.settings import SettingsError, load_settings
from tripwire_shared.timings import CONNECT_TIMEOUT, MIGRATION_LOCK_MS, MIGRATION_TURN, MIGRATION_TURN_POLL

# Any number, but the same on every host for ever: the advisory lock of migrations in a database.
MIGRATION_LOCK_KEY = 7_471_901_204


class MigrationFailed(Exception):
    """A migration was refused, or its turn did not come; nothing of it was kept. The message is one line."""


class _Backend(PostgresqlBackend):  # type: ignore[misc]  # yoyo is not typed
    """yoyo's backend with libpq's reading of the address, and each migration in one transaction with its note (but for
    those that say otherwise)."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__(parse_uri(url), default_migration_table)

    def connect(self, dburi: object) -> psycopg2.extensions.connection:
        connection = _connect(self._url)
        connection.autocommit = True  # yoyo says BEGIN and COMMIT itself
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {MIGRATION_LOCK_MS}")
        return connection

    @contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:
        """Replaced by `_turn`: yoyo's lock is a row, which a killed process leaves behind for ever."""
        yield

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        try:
            migration.load()
            if not migration.use_transactions:
                migration.process_steps(self, "apply")
                self._limit_lock_waits()  # such a migration may have set its own
            with self.transaction():
                if migration.use_transactions:
                    migration.process_steps(self, "apply")
                # Without yoyo's log: it asks for the user's name, and in a container there may be none.
                self.mark_one(migration, log=False)
        except psycopg2.Error as error:
            raise MigrationFailed(f"{migration.id}: {_first_line(error)}") from error

    def _limit_lock_waits(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {MIGRATION_LOCK_MS}")


def apply_migrations(database_url: str, folder: Path) -> int:
    """Applies what is pending in `folder`, in order; returns how many there were.

    Raises MigrationFailed (what came before it stays applied) or psycopg2.Error.
    """
    with _turn(database_url):
        backend = _Backend(database_url)
        with closing(backend.connection):
            try:
                pending = backend.to_apply(read_migrations(str(folder)))
                _refuse_early_contracts(
                    pending, {migration.id for migration in backend.to_rollback(read_migrations(str(folder)))}
                )
            except BadMigration as error:
                raise MigrationFailed(_first_line(error)) from error
            backend.apply_migrations(pending)
        return len(pending)


def _refuse_early_contracts(pending: Any, applied: set[str]) -> None:
    """The version that runs now may use what such a migration removes."""
    texts = {migration.id: Path(migration.path).read_text(encoding="utf-8") for migration in pending}
    for name, since in refused_contracts(texts, applied).items():
        raise MigrationFailed(
            f"{name} removes what versions before {since} use: deploy one with {since} first, and this one after it."
        )


@contextmanager
def _turn(database_url: str) -> Iterator[None]:
    """Holds the lock of migrations, in a transaction of its own connection, which ends with the process.

    It is tried and not waited for, each time in a transaction of its own: an index that others build concurrently waits
    for every transaction that had a snapshot when it looked, to its end.
    """
    give_up_at = time.monotonic() + MIGRATION_TURN
    with closing(_connect(database_url)) as connection, connection.cursor() as cursor:
        while not _is_ours(cursor):
            connection.rollback()
            if time.monotonic() > give_up_at:
                raise MigrationFailed("Others are still migrating this database; try again when they are done.")
            time.sleep(MIGRATION_TURN_POLL)
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield


def _is_ours(cursor: psycopg2.extensions.cursor) -> bool:
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (MIGRATION_LOCK_KEY,))
    row = cursor.fetchone()
    return row is not None and bool(row[0])


def _connect(database_url: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(database_url, connect_timeout=CONNECT_TIMEOUT)


def _first_line(error: Exception) -> str:
    """Of PostgreSQL's text the first one: those after it quote rows."""
    return hidden((str(error).strip().splitlines() or [type(error).__name__])[0])


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m tripwire_shared.migrate FOLDER", file=sys.stderr)
        return 2
    logging.getLogger("yoyo").addHandler(logging.NullHandler())  # it shows traces, and in them rows
    try:
        settings = load_settings(required=("DATABASE_URL",))
        check_listen_url(settings)
        count = apply_migrations(settings.listen_url, Path(arguments[0]))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    except (MigrationFailed, psycopg2.Error) as error:
        print(f"The migrations could not be applied: {_first_line(error)}", file=sys.stderr)
        return 1
    print(f"{count} migration{'' if count == 1 else 's'} applied.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
