"""The front page: the state of the system for admins, one's own requests for sales."""

from flask import Blueprint, render_template

from tripwire_admin_ui.access import person
from tripwire_admin_ui.api_client import ApiClient, Budget
from tripwire_admin_ui.live_page import live_page
from tripwire_admin_ui.parts import parts
from tripwire_admin_ui.system_state import read_system_state
from tripwire_admin_ui.way import way

REQUESTS_SHOWN = 50


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("dashboard", __name__)

    @blueprint.get("/admin")
    def show() -> str | tuple[str, int]:
        return _for_admins(api) if person().is_admin else _for_sales(api)

    return blueprint


def _for_admins(api: ApiClient) -> str | tuple[str, int]:
    state = read_system_state(api, person().token)
    return live_page("dashboard.html", state, way=way(state), parts=parts(state))


def _for_sales(api: ApiClient) -> str:
    rows = api.requests(person().token, Budget(), limit=REQUESTS_SHOWN)
    return render_template("my_requests.html", rows=rows)
