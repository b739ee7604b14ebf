"""`python -m deploy.backup backup` and `python -m deploy.backup restore FILE`, for `make backup` and `make restore`.

Finds the database and the programs; the steps themselves are those of the compose stack too (steps.sh).
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2
from psycopg2.extensions import parse_dsn

from deploy.backup.meant_database import MeantDatabase, meant_database
from deploy.backup.programs import programs_for_dumping, programs_for_restoring
from deploy.local.data_folder import write_private
from deploy.local.errors import CannotStart
from deploy.local.services import ROOT
from tripwire_shared import timings
from tripwire_shared.migrate import MigrationFailed, apply_migrations
from tripwire_shared.settings import Settings, SettingsError, load_settings

_STEPS = ROOT / "deploy" / "backup" / "here.sh"


def back_up(settings: Settings, folder: Path) -> int:
    with meant_database(settings, folder, make=False) as database:
        print(f"Backing up {database.said}.", flush=True)
        return _run(["backup"], database, programs_for_dumping(database.server), settings)


def restore(settings: Settings, folder: Path, file: str) -> int:
    with meant_database(settings, folder, make=True) as database:
        print(f"Restoring into {database.said}.", flush=True)
        status = _run(["restore", file], database, programs_for_restoring(database.server), settings)
        if status != 0:
            return status
        # A copy may be older than this version.
        count = apply_migrations(database.url, ROOT / "db" / "migrations")
    print(
        f"{count} later migration{'' if count == 1 else 's'} applied. Start with the SECRET_KEY of the copied system: "
        "with another one links in sent mails are dead, and customers whose password waits are not made."
    )
    return 0


def _run(arguments: list[str], database: MeantDatabase, programs: Path, settings: Settings) -> int:
    """Runs the steps; what libpq needs stands in its environment and in a file, nothing in arguments."""
    parameters = parse_dsn(database.url)
    password = parameters.pop("password", None)
    with tempfile.TemporaryDirectory() as scratch:
        service = Path(scratch) / "service.conf"
        write_private(service, "\n".join(["[meant]", *(f"{name}={value}" for name, value in parameters.items()), ""]))
        environ = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PGSERVICEFILE": str(service),
            "PGSERVICE": "meant",
            "PGCONNECT_TIMEOUT": str(timings.LOCAL_CONNECT_TIMEOUT),
            **({"PGPASSWORD": password} if password else {}),
            "BACKUP_DATABASE": database.name,
            "BACKUP_FOLDER": settings.backup_folder,
            "BACKUP_KEEP": str(settings.backup_keep),
            "BACKUP_KEEP_DAYS": str(settings.backup_keep_days),
        }
        return subprocess.run(["sh", str(_STEPS), *arguments], env=environ, check=False).returncode


def main(arguments: list[str]) -> int:
    """The exit status: 0; 1 with one line on standard error; 2 for wrong usage."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a server started for this is stopped
    try:
        match arguments:
            case ["backup"]:
                return back_up(load_settings(), Path.cwd())
            case ["restore", file]:
                return restore(load_settings(), Path.cwd(), file)
            case _:
                print("usage: python -m deploy.backup backup | restore FILE", file=sys.stderr)
                return 2
    except (CannotStart, SettingsError) as error:
        print(error, file=sys.stderr)
    except (MigrationFailed, psycopg2.Error) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        print(f"It is restored, but the later migrations could not be applied: {reason}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
