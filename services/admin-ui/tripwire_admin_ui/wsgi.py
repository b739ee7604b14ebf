"""Where gunicorn finds the admin UI: `tripwire_admin_ui.wsgi:create()`."""

from flask import Flask

from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.app import create_app
from tripwire_admin_ui.frame.assets import AssetsMissing
from tripwire_shared.logs import configure_logging
from tripwire_shared.settings import SettingsError, load_settings


def create() -> Flask:
    """The app of one process. A bad setting or a missing file ends the process with one line that names it."""
    try:
        settings = load_settings(required=("SECRET_KEY",))
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    configure_logging("admin-ui", settings.log_level, settings.log_format)
    try:
        app = create_app(settings, ApiClient(settings.api_url))
    except AssetsMissing as error:
        raise SystemExit(str(error)) from None
    for template in app.jinja_env.list_templates(extensions=["html"]):
        app.jinja_env.get_template(template)  # compiled now, not for whoever opens the first page of an outage
    return app
