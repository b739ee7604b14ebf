"""Signing in and out."""

from typing import Any

from flask import Response, request
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from tripwire_api.access import current_staff, current_token
from tripwire_api.body_rules import Blueprint
from tripwire_api.client_request import client_address
from tripwire_shared.email_address import readable_email
from tripwire_shared.few_at_once import FewAtOnce
from tripwire_shared.setting_rules import Network
from tripwire_shared.staff.staff import Staff
from tripwire_shared.staff.staff_store import StaffStore
from tripwire_shared.staff.tokens import Tokens


class CredentialsSchema(Schema):
    class Meta:
        unknown = RAISE

    email = fields.String(required=True, validate=validate.Length(1, 254))
    password = fields.String(required=True, validate=validate.Length(1, 1024))


class StaffSchema(Schema):
    id = fields.String(required=True)
    email = fields.String(required=True)
    full_name = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(["admin", "sales"]))
    active = fields.Boolean(required=True)


class SessionSchema(Schema):
    token = fields.String(required=True)
    expires_at = fields.String(required=True)
    staff = fields.Nested(StaffSchema, required=True)


def staff_body(staff: Staff) -> dict[str, Any]:
    return {
        "id": str(staff.id),
        "email": readable_email(staff.email),
        "full_name": staff.full_name,
        "role": staff.role.value,
        "active": staff.active,
    }


def login_blueprint(staff: StaffStore, sign_ins: FewAtOnce, trusted_proxies: tuple[Network, ...]) -> Blueprint:
    """Public: it is how one becomes known. Throttled in PostgreSQL, so it works while Redis is down. `sign_ins`: what
    of this process' capacity they may have."""
    routes = Blueprint("login", __name__, url_prefix="/api/auth/login", description="Signing in and out")

    @routes.route("")
    class Login(MethodView):
        @routes.arguments(CredentialsSchema)
        @routes.response(200, SessionSchema)
        def post(self, credentials: dict[str, str]) -> dict[str, Any]:
            """A bearer token for an e-mail and a password."""
            email, address = credentials["email"], client_address(request, trusted_proxies)()
            staff.refuse_throttled(email, address)
            with sign_ins.one():
                session = staff.sign_in(email, credentials["password"], address)
            return {
                "token": session.token,
                "expires_at": session.expires_at.isoformat(),
                "staff": staff_body(session.staff),
            }

    return routes


def session_blueprint(tokens: Tokens) -> Blueprint:
    routes = Blueprint("session", __name__, url_prefix="/api/auth", description="Signing in and out")

    @routes.route("/logout")
    class Logout(MethodView):
        @routes.response(204)
        def post(self) -> Response:
            """Revokes the token that is sent with it."""
            tokens.end_session(current_token())
            return Response(status=204)

    @routes.route("/me")
    class Me(MethodView):
        @routes.response(200, StaffSchema)
        def get(self) -> dict[str, Any]:
            """Who the token stands for."""
            return staff_body(current_staff())

    return routes
