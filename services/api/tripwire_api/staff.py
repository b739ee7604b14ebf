"""Staff and their tokens over HTTP (admin only)."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, post_load, validate

from tripwire_api.access import current_staff
from tripwire_api.body_rules import Blueprint
from tripwire_api.field_rules import email_field, full_name_field, one_line_field, password_field
from tripwire_api.sessions import StaffSchema, staff_body
from tripwire_api.shapes import StaffNameSchema, iso, iso_or_none, staff_name
from tripwire_shared.email_address import normalised_email
from tripwire_shared.few_at_once import FewAtOnce
from tripwire_shared.staff.staff import ListedStaff, Role, StaffChange
from tripwire_shared.staff.staff_store import StaffStore
from tripwire_shared.staff.tokens import NewToken, TokenListed, Tokens

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


class TokenSchema(Schema):
    id = fields.String(required=True)
    token = fields.String()
    name = fields.String(required=True)
    created_at = fields.String(required=True)
    expires_at = fields.String(allow_none=True)
    last_used_at = fields.String(allow_none=True)
    created_by = fields.Nested(StaffNameSchema, allow_none=True)


class ListedStaffSchema(StaffSchema):
    created_at = fields.String(required=True)
    tokens = fields.Integer(required=True)
    last_seen_at = fields.String(allow_none=True)


class StaffListSchema(Schema):
    staff = fields.List(fields.Nested(ListedStaffSchema), required=True)


class TokenListSchema(Schema):
    tokens = fields.List(fields.Nested(TokenSchema), required=True)


def blueprint(store: StaffStore, tokens: Tokens, hashing: FewAtOnce) -> Blueprint:
    routes = Blueprint("staff", __name__, url_prefix="/api/admin/staff", description="Staff and their tokens")

    @routes.route("")
    class StaffList(MethodView):
        @routes.response(200, StaffListSchema)
        def get(self) -> dict[str, Any]:
            """Everybody."""
            return {"staff": [listed_body(staff) for staff in store.list()]}

        @routes.arguments(NewStaffSchema)
        @routes.response(201, StaffSchema)
        def post(self, new: dict[str, Any]) -> dict[str, Any]:
            """Adds somebody."""
            email = normalised_email(new["email"])
            with hashing.one() if new["password"] else nullcontext():
                made = store.create(email, new["full_name"], Role(new["role"]), new["password"], current_staff().id)
            return staff_body(made)

    @routes.route("/<uuid:staff_id>")
    class StaffItem(MethodView):
        @routes.response(200, ListedStaffSchema)
        def get(self, staff_id: UUID) -> dict[str, Any]:
            """One member of staff."""
            return listed_body(store.get_listed(staff_id))

        @routes.arguments(StaffChangeSchema)
        @routes.response(200, StaffSchema)
        def patch(self, change: StaffChange, staff_id: UUID) -> dict[str, Any]:
            """Changes role, name, password, or whether the account is active."""
            with hashing.one() if change.password else nullcontext():
                return staff_body(store.change(staff_id, change, current_staff().id))

    @routes.route("/<uuid:staff_id>/tokens")
    class TokenList(MethodView):
        @routes.response(200, TokenListSchema)
        def get(self, staff_id: UUID) -> dict[str, Any]:
            """The tokens that are not revoked, without their secret."""
            store.get(staff_id)
            return {"tokens": [token_body(token) for token in tokens.list(staff_id)]}

        @routes.arguments(NewTokenSchema)
        @routes.response(201, TokenSchema)
        def post(self, new: dict[str, Any], staff_id: UUID) -> dict[str, Any]:
            """A new token; it is shown this once."""
            store.get(staff_id)
            days = new["expires_in_days"]
            seconds = None if days is None else days * SECONDS_A_DAY
            return token_body(tokens.make(staff_id, new["name"], seconds=seconds, by=current_staff().id))

    @routes.route("/<uuid:staff_id>/tokens/<uuid:token_id>")
    class TokenItem(MethodView):
        @routes.response(204)
        def delete(self, staff_id: UUID, token_id: UUID) -> Response:
            """Revokes it: within a second it works nowhere."""
            tokens.revoke(staff_id, token_id, current_staff().id)
            return Response(status=204)

    return routes


def token_body(token: NewToken | TokenListed) -> dict[str, Any]:
    body = {
        "id": str(token.id),
        "name": token.name,
        "created_at": iso(token.created_at),
        "expires_at": iso_or_none(token.expires_at),
    }
    if isinstance(token, NewToken):
        return {**body, "token": token.token}
    created_by = None if token.created_by is None else staff_name(token.created_by)
    return {**body, "last_used_at": iso_or_none(token.last_used_at), "created_by": created_by}


def listed_body(staff: ListedStaff) -> dict[str, Any]:
    seen = {"created_at": iso(staff.created_at), "tokens": staff.tokens}
    return {**staff_body(staff), **seen, "last_seen_at": iso_or_none(staff.last_seen_at)}
