"""The state of the system alone: what renews the menu and the line under the head of a page whose content must stay."""

from flask import Blueprint, g, redirect, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.auth.scripted_requests import is_refresh
from tripwire_admin_ui.frame.page_reader import PageReader


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("system_line", __name__)

    @blueprint.get("/admin/state")
    def show() -> Response | str | tuple[str, int]:
        if not is_refresh():
            return redirect(url_for("dashboard.show"))
        reader = PageReader(api)
        if not reader.person.is_admin:  # sees no state, but whether the API answers
            reader.failures += [g.identity_failure] if g.identity_failure else []
        return reader.show("system_line.html")

    return blueprint
