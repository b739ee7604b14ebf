"""Applies pending migrations: `python -m tripwire_shared.migrate db/migrations` (DATABASE_URL from the settings).

yoyo keeps the list of what was applied and a lock, so that several hosts may call this at the same time.
"""

import sys
from pathlib import Path

from psycopg2 import Error
from yoyo import get_backend, read_migrations
from yoyo.exceptions import LockTimeout

from tripwire_shared.settings import SettingsError, load_settings

LOCK_TIMEOUT_SECONDS = 30


def apply_migrations(database_url: str, folder: Path) -> int:
    """Applies what is pending in `folder`, each migration in its own transaction; returns how many there were."""
    scheme, _, rest = database_url.partition("://")
    backend = get_backend(f"postgresql://{rest}" if scheme == "postgres" else database_url)
    try:
        with backend.lock(timeout=LOCK_TIMEOUT_SECONDS):
            pending = backend.to_apply(read_migrations(str(folder)))
            backend.apply_migrations(pending)
        return len(pending)
    finally:
        backend.connection.close()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m tripwire_shared.migrate FOLDER", file=sys.stderr)
        return 2
    try:
        settings = load_settings(required=("DATABASE_URL",))
        count = apply_migrations(settings.database_url, Path(arguments[0]))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    except (Error, LockTimeout) as error:
        print(f"The migrations could not be applied: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return 1
    print(f"{count} migration{'' if count == 1 else 's'} applied.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
