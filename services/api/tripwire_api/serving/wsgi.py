"""What gunicorn calls in each worker process, after fork."""

import atexit
import sys

from flask import Flask

from tripwire_api.app import create_app
from tripwire_api.parts import build_api
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import configure_logging, get_logger, log_uncaught
from tripwire_shared.postgres.listen_url import check_listen_url
from tripwire_shared.serving.runtime import build_runtime
from tripwire_shared.settings import NEEDED, Settings, SettingsError, load_settings
from tripwire_shared.staff.staff import StaffExists
from tripwire_shared.staff.staff_store import StaffStore

# gunicorn's code for "do not start me again": with bad settings it would only fail the same way.
BOOT_ERROR = 3


def create() -> Flask:
    try:
        settings = load_settings(NEEDED)
        check_listen_url(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(BOOT_ERROR)
    configure_logging("api", settings.log_level, settings.log_format)
    try:
        return _build(settings)
    except Exception as error:  # gunicorn would print its text, which may quote a row
        log_uncaught("start", error)
        sys.exit(BOOT_ERROR)


def _build(settings: Settings) -> Flask:
    parts = build_api(settings, build_runtime())
    ensure_first_admin(parts.staff, settings)
    app = create_app(parts)
    parts.start()
    atexit.register(parts.stop)
    return app


def ensure_first_admin(staff: StaffStore, settings: Settings) -> None:
    """With a database that is away the API starts all the same, and this happens at its next start."""
    log = get_logger(__name__)
    try:
        if settings.admin_password:
            if staff.ensure_first_admin(settings.admin_email, settings.admin_password):
                log.info("the first admin was made from ADMIN_EMAIL and ADMIN_PASSWORD")
        elif not staff.has_admin():
            log.warning("there is no admin yet: set ADMIN_PASSWORD and start again")
    except StaffExists:
        log.warning("there is no admin, and none was made: ADMIN_EMAIL is the address of somebody with the role sales; "
                  "set another ADMIN_EMAIL and start again")  # fmt: skip
    except DatabaseUnavailable:
        log.warning("the database is unavailable: whether there is an admin is not known")
