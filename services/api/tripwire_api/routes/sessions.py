"""Signing in and out."""

from flask import Response, request
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from tripwire_api.http.access import current_staff, current_token
from tripwire_api.http.body_rules import Blueprint
from tripwire_api.http.client_request import client_address
from tripwire_shared.answers.staff import Session, StaffMember
from tripwire_shared.email_address import readable_email
from tripwire_shared.few_at_once import FewAtOnce
from tripwire_shared.setting_rules import Network
from tripwire_shared.staff.sign_in import SignIn
from tripwire_shared.staff.staff import Staff
from tripwire_shared.staff.tokens import Tokens


class CredentialsSchema(Schema):
    class Meta:
        unknown = RAISE

    email = fields.String(required=True, validate=validate.Length(1, 254))
    password = fields.String(required=True, validate=validate.Length(1, 1024))


def staff_member(staff: Staff) -> StaffMember:
    return StaffMember(
        id=staff.id,
        email=readable_email(staff.email),
        full_name=staff.full_name,
        role=staff.role,
        active=staff.active,
    )


def login_blueprint(sign_in: SignIn, sign_ins: FewAtOnce, trusted_proxies: tuple[Network, ...]) -> Blueprint:
    """Public: it is how one becomes known. Throttled in PostgreSQL, so it works while Redis is down. `sign_ins`: what
    of this process' capacity they may have."""
    routes = Blueprint("login", __name__, url_prefix="/api/auth/login", description="Signing in and out")

    @routes.route("")
    class Login(MethodView):
        @routes.arguments(CredentialsSchema)
        @routes.answers(200, Session)
        def post(self, credentials: dict[str, str]) -> Session:
            """A bearer token for an e-mail and a password."""
            email, address = credentials["email"], client_address(request, trusted_proxies)()
            sign_in.refuse_throttled(email, address)
            with sign_ins.one():
                session = sign_in.with_password(email, credentials["password"], address)
            return Session(token=session.token, expires_at=session.expires_at, staff=staff_member(session.staff))

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
        @routes.answers(200, StaffMember)
        def get(self) -> StaffMember:
            """Who the token stands for."""
            return staff_member(current_staff())

    return routes
