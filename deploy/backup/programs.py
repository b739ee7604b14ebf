"""Which pg_dump, pg_restore and psql fit a server."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.local.binaries import pg_folders
from deploy.local.errors import CannotStart

_NEEDED = ("pg_dump", "pg_restore", "psql")
# Where Debian and Red Hat put those that are not on PATH.
_INSTALLED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")


def programs_for_dumping(server: int) -> Path:
    """The folder with the programs of the server's own major version, else of the next newer.

    Raises CannotStart where there are none.
    """
    return min(_fitting(server))[1]


def programs_for_restoring(server: int) -> Path:
    """The folder with the newest programs: they read the copies of every older pg_dump.

    Raises CannotStart where none is as new as the server.
    """
    return max(_fitting(server))[1]


def _fitting(server: int) -> list[tuple[int, Path]]:
    versions: dict[int, Path] = {}
    for folder in _folders():
        version = _version(folder)
        if version is not None:
            versions.setdefault(version, folder)
    fitting = [(version, folder) for version, folder in versions.items() if version >= server]
    if not fitting:
        here = f"only {', '.join(map(str, sorted(versions)))} is here" if versions else "there are none here"
        raise CannotStart(
            f"The server is PostgreSQL {server}: pg_dump, pg_restore and psql of version {server} or newer are needed, "
            f"and {here}. Install PostgreSQL's client programs, or name their folder in TRIPWIRE_PG_BIN."
        )
    return fitting


def _folders() -> Iterator[Path]:
    yield from pg_folders()
    for pattern in _INSTALLED:
        yield from sorted(Path("/").glob(pattern[1:]))
    on_path = shutil.which("pg_dump")
    if on_path:
        yield Path(on_path).parent


def _version(folder: Path) -> int | None:
    """The major version of the programs there; None where they are not all there, or do not run."""
    if not all(os.access(folder / name, os.X_OK) for name in _NEEDED):
        return None
    try:
        answer = subprocess.run(
            [folder / "pg_dump", "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found.group(1)) if answer.returncode == 0 and found else None
