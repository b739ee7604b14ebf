"""The front page: the state of the system for admins; sales begins with its own customers."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.access import person
from tripwire_admin_ui.api_client import ApiClient
from tripwire_admin_ui.live_page import live_page
from tripwire_admin_ui.parts import parts
from tripwire_admin_ui.system_state import read_system_state
from tripwire_admin_ui.way import way


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("dashboard", __name__)

    @blueprint.get("/admin")
    def show() -> Response | str | tuple[str, int]:
        return _for_admins(api) if person().is_admin else redirect(url_for("customers.show"))

    return blueprint


def _for_admins(api: ApiClient) -> str | tuple[str, int]:
    state = read_system_state(api, person().token)
    return live_page("dashboard.html", state, way=way(state), parts=parts(state))
