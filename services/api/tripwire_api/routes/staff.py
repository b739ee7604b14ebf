"""Staff and their tokens over HTTP (admin only)."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, post_load, validate

from tripwire_api.http.access import current_staff
from tripwire_api.http.body_rules import Blueprint
from tripwire_api.http.field_rules import email_field, full_name_field, one_line_field, password_field
from tripwire_api.routes.sessions import staff_member
from tripwire_shared.answers.staff import ListedMember, MadeToken, StaffList, StaffMember, TokenList
from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.email_address import normalised_email
from tripwire_shared.few_at_once import FewAtOnce
from tripwire_shared.staff.staff import StaffChange
from tripwire_shared.staff.staff_store import StaffStore
from tripwire_shared.staff.tokens import Tokens

SECONDS_A_DAY = 86_400.0
ROLES = [role.value for role in Role]


class NewStaffSchema(Schema):
    class Meta:
        unknown = RAISE

    email = email_field(required=True)
    full_name = full_name_field(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    password = password_field()


class StaffChangeSchema(Schema):
    class Meta:
        unknown = RAISE

    full_name = full_name_field()
    role = fields.String(validate=validate.OneOf(ROLES))
    active = fields.Boolean(truthy={True}, falsy={False})
    password = password_field()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> StaffChange:
        role = Role(data["role"]) if "role" in data else None
        return StaffChange(data.get("full_name"), role, data.get("active"), data.get("password"))


class NewTokenSchema(Schema):
    class Meta:
        unknown = RAISE

    name = one_line_field(100, required=True)
    expires_in_days = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 3650))


def blueprint(store: StaffStore, tokens: Tokens, hashing: FewAtOnce) -> Blueprint:
    routes = Blueprint("staff", __name__, url_prefix="/api/admin/staff", description="Staff and their tokens")

    @routes.route("")
    class AllStaff(MethodView):
        @routes.answers(200, StaffList)
        def get(self) -> StaffList:
            """Everybody."""
            return StaffList(staff=store.list())

        @routes.arguments(NewStaffSchema)
        @routes.answers(201, StaffMember)
        def post(self, new: dict[str, Any]) -> StaffMember:
            """Adds somebody."""
            email = normalised_email(new["email"])
            with hashing.one() if new["password"] else nullcontext():
                made = store.create(email, new["full_name"], Role(new["role"]), new["password"], current_staff().id)
            return staff_member(made)

    @routes.route("/<uuid:staff_id>")
    class StaffItem(MethodView):
        @routes.answers(200, ListedMember)
        def get(self, staff_id: UUID) -> ListedMember:
            """One member of staff."""
            return store.get_listed(staff_id)

        @routes.arguments(StaffChangeSchema)
        @routes.answers(200, StaffMember)
        def patch(self, change: StaffChange, staff_id: UUID) -> StaffMember:
            """Changes role, name, password, or whether the account is active."""
            with hashing.one() if change.password else nullcontext():
                return staff_member(store.change(staff_id, change, current_staff().id))

    @routes.route("/<uuid:staff_id>/tokens")
    class AllTokens(MethodView):
        @routes.answers(200, TokenList)
        def get(self, staff_id: UUID) -> TokenList:
            """The tokens that are not revoked, without their secret."""
            store.get(staff_id)
            return TokenList(tokens=tokens.list(staff_id))

        @routes.arguments(NewTokenSchema)
        @routes.answers(201, MadeToken)
        def post(self, new: dict[str, Any], staff_id: UUID) -> MadeToken:
            """A new token; it is shown this once."""
            store.get(staff_id)
            days = new["expires_in_days"]
            seconds = None if days is None else days * SECONDS_A_DAY
            return tokens.make(staff_id, new["name"], seconds=seconds, by=current_staff().id)

    @routes.route("/<uuid:staff_id>/tokens/<uuid:token_id>")
    class TokenItem(MethodView):
        @routes.response(204)
        def delete(self, staff_id: UUID, token_id: UUID) -> Response:
            """Revokes it: within a second it works nowhere."""
            tokens.revoke(staff_id, token_id, current_staff().id)
            return Response(status=204)

    return routes
