"""The front page: the state of the system for admins, one's own requests for sales."""

from http import HTTPStatus

from flask import Blueprint, render_template

from tripwire_admin_ui.access import person
from tripwire_admin_ui.api_client import ApiClient, Budget
from tripwire_admin_ui.parts import parts
from tripwire_admin_ui.refresh import is_refresh
from tripwire_admin_ui.system_state import read_system_state
from tripwire_admin_ui.verdict import verdict
from tripwire_admin_ui.way import way

REQUESTS_SHOWN = 50


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("dashboard", __name__)

    @blueprint.get("/admin")
    def show() -> str | tuple[str, int]:
        return _for_admins(api) if person().is_admin else _for_sales(api)

    return blueprint


def _for_admins(api: ApiClient) -> str | tuple[str, int]:
    reader = person()
    state = read_system_state(api, reader.token)
    if state.api_away and is_refresh():
        return "", HTTPStatus.SERVICE_UNAVAILABLE
    return render_template(
        "dashboard.html", state=state, verdict=verdict(state, reader.email), way=way(state), parts=parts(state)
    )


def _for_sales(api: ApiClient) -> str:
    rows = api.requests(person().token, Budget(), limit=REQUESTS_SHOWN)
    return render_template("my_requests.html", rows=rows)
