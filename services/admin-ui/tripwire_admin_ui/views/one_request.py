"""One request: what happened step by step, what comes next, and retrying it."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.calls import CustomersApi, RequestsApi
from tripwire_admin_ui.api.client import ApiClient, Budget
from tripwire_admin_ui.auth.guards import for_admins_page, person
from tripwire_admin_ui.auth.session_cookie import leave_notice
from tripwire_admin_ui.frame.page_reader import PageReader
from tripwire_admin_ui.presenters.timeline import timeline
from tripwire_admin_ui.views.new_link import send_new_link


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("one_request", __name__)
    requests, customers = RequestsApi(api), CustomersApi(api)

    @blueprint.get("/admin/requests/<uuid:request_id>")
    def show(request_id: UUID) -> str | tuple[str, int]:
        reader = PageReader(api)
        found = reader.read(reader.ask(lambda: requests.one(reader.token, reader.budget, request_id)))
        steps = timeline(found, datetime.now(UTC)) if found else ()
        return reader.show("one_request.html", found=found, steps=steps)

    @blueprint.post("/admin/requests/<uuid:request_id>/retry")
    def retry(request_id: UUID) -> Response | tuple[str, int]:
        if not person().is_admin:
            return for_admins_page()
        requests.retry(person().token, request_id)
        leave_notice("Queued for retry", "It goes on where it stopped.")
        return redirect(url_for("one_request.show", request_id=request_id), HTTPStatus.SEE_OTHER)

    @blueprint.post("/admin/requests/<uuid:request_id>/new-link")
    def new_link(request_id: UUID) -> Response:
        found = requests.one(person().token, Budget(), request_id)
        if found.user_id:
            leave_notice(*send_new_link(customers, found.user_id, found.email))
        return redirect(url_for("one_request.show", request_id=request_id), HTTPStatus.SEE_OTHER)

    return blueprint
