"""The commands of the services, and the environment they get."""

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.child import Child, WriteLine
from tripwire_shared import timings

ROOT = Path(__file__).resolve().parents[2]
MIGRATE = [sys.executable, "-m", "tripwire_shared.migrate", ROOT / "db" / "migrations"]

# For what we run and read: line by line, in an encoding that holds every name, whatever the terminal's is.
PYTHON = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}

_GUNICORN = [sys.executable, "-m", "gunicorn", "--config"]
_COMMANDS = {
    "api": [*_GUNICORN, "python:tripwire_api.serving.gunicorn_conf", "tripwire_api.serving.wsgi:create()"],
    "admin-ui": [*_GUNICORN, "python:tripwire_admin_ui.gunicorn_conf", "tripwire_admin_ui.wsgi:create()"],
    "worker": [sys.executable, "-m", "tripwire_worker"],
}
_STOP_LIMITS = {
    "api": timings.LOCAL_STOP_API,
    "admin-ui": timings.LOCAL_STOP_ADMIN_UI,
    "worker": timings.LOCAL_STOP_WORKER,
}


def service(name: str, environ: Mapping[str, str], folder: Path, write_line: WriteLine) -> Child:
    """The service `name` (api, admin-ui or worker), not yet started; mails without SMTP land in `folder`/.data/mail."""
    return Child(
        name,
        _COMMANDS[name],
        environ={**environ, **PYTHON},
        folder=folder,
        write_line=write_line,
        stop_limit=_STOP_LIMITS[name],
    )
