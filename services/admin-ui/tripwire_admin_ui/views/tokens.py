"""The tokens of one person: make one, which is shown this once, and revoke one."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.calls import StaffApi
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.api.failures import Conflict, FieldsRefused, NotThere
from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.auth.session_cookie import leave_notice
from tripwire_admin_ui.views.staff import Form, StaffPage, to_person

VALID_FOR = {"90": "90 days", "30": "30 days", "365": "1 year", "": "No expiry"}


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("tokens", __name__)
    page, staff = StaffPage(api), StaffApi(api)

    @blueprint.get("/admin/staff/<uuid:staff_id>/tokens")
    def show(staff_id: UUID) -> Response:
        """Where a reload of the page with a new token leads: the token is not shown again, and none is made."""
        return to_person(staff_id)

    @blueprint.post("/admin/staff/<uuid:staff_id>/tokens")
    def make(staff_id: UUID) -> str | tuple[str, int]:
        """The answer itself shows the token: a redirect would have to carry it."""
        days = request.form.get("days", "")
        if days not in VALID_FOR:
            return page.refused(staff_id, "token", FieldsRefused("Choose how long it is valid."))
        try:
            name = request.form.get("name", "").strip()
            made = staff.make_token(person().token, staff_id, name, int(days) if days else None)
        except (FieldsRefused, Conflict) as failure:
            return page.refused(staff_id, "token", failure)
        return page.show(staff_id, Form("", {}, {}), made)

    @blueprint.post("/admin/staff/<uuid:staff_id>/tokens/<uuid:token_id>/revoke")
    def revoke(staff_id: UUID, token_id: UUID) -> Response:
        try:
            staff.revoke_token(person().token, staff_id, token_id)
            leave_notice("The token is revoked", "Whatever used it stops working within a second.")
        except NotThere:
            leave_notice("The token was revoked already", "")
        return to_person(staff_id)

    return blueprint
