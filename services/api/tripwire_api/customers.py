"""Customers over HTTP: creating one. The decisions stand in `intake/accept.py`."""

from typing import Any

from flask import Response, jsonify, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, fields, post_load, validate

from tripwire_api.access import current_staff
from tripwire_api.field_rules import email_field, full_name_field, password_field
from tripwire_shared.errors import InvalidFields
from tripwire_shared.intake.accept import Accepted
from tripwire_shared.intake.request_states import RequestMode, Wish
from tripwire_shared.resources import Resources

# What a client that polls should wait before it asks for the request again.
RETRY_AFTER_SECONDS = 1


class WishSchema(Schema):
    """The body of a create; unknown fields are refused."""

    class Meta:
        unknown = RAISE

    email = email_field(required=True)
    full_name = full_name_field(required=True)
    password = password_field()
    price = fields.Integer(load_default=5000, strict=True, validate=validate.Range(0, 1_000_000_000))
    currency = fields.String(
        load_default="KZT", validate=validate.Regexp(r"\A[A-Z]{3}\Z", error="Three capital letters.")
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Wish:
        return Wish(**{**data, "email": data["email"].strip().lower(), "full_name": data["full_name"].strip()})


class AcceptedSchema(Schema):
    success = fields.Boolean(required=True)
    request_id = fields.String(required=True)
    user_id = fields.String()
    email = fields.String(required=True)
    status = fields.String(required=True)
    mode = fields.String(required=True)
    fallback = fields.Boolean()


def blueprint(resources: Resources) -> Blueprint:
    routes = Blueprint("customers", __name__, url_prefix="/api/admin/tripwire/users", description="Customers")

    @routes.route("")
    class Customers(MethodView):
        @routes.arguments(WishSchema())
        @routes.response(202, AcceptedSchema)
        @routes.alt_response(201, schema=AcceptedSchema)
        def post(self, wish: Wish) -> Response:
            """Creates a customer: 202 where the queue took it, 201 where it is done already."""
            return answer(resources.intake.accept(wish, current_staff().id, idempotency_key()))

    return routes


def idempotency_key() -> str | None:
    """Raises InvalidFields: 1 to 255 printable characters."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise InvalidFields({"Idempotency-Key": ["Must be 1 to 255 printable characters."]})
    return key


def answer(accepted: Accepted) -> Response:
    body: dict[str, Any] = {"success": True, "request_id": str(accepted.request_id), "email": accepted.email}
    if accepted.user_id is None:
        mode = "async" if accepted.mode is RequestMode.ASYNC else "sync"
        response = jsonify({**body, "status": "accepted", "mode": mode})
        response.status_code = 202
        response.headers["Location"] = f"/api/admin/tripwire/requests/{accepted.request_id}"
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    else:
        done = {"user_id": str(accepted.user_id), "status": "provisioned", "mode": "sync"}
        response = jsonify({**body, **done, "fallback": accepted.mode is RequestMode.FALLBACK})
        response.status_code = 201
        response.headers["Location"] = f"/api/admin/tripwire/users/{accepted.user_id}"
    if accepted.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response
