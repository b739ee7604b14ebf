"""Customers over HTTP: creating one, lists, and what may be done with one. The decisions stand in `intake/accept.py`
and in `customers/`."""

import json
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from tripwire_api.access import admins_only, current_staff, only_own
from tripwire_api.body_rules import Blueprint
from tripwire_api.client_request import current_client_request
from tripwire_api.field_rules import ListQuerySchema
from tripwire_api.ready_response import ReadyResponse
from tripwire_api.sales import DeedSchema, deed_body
from tripwire_api.sales_store import ActivityFilter, SalesStore
from tripwire_api.shapes import CUSTOMER_STATUSES, CustomerSchema, RequestSchema, customer_body, iso, request_body
from tripwire_api.wish_body import WishParser, WishSchema
from tripwire_shared.customers.customer import CustomerFilter, CustomerStatus, Sale
from tripwire_shared.customers.customer_changes import CustomerChanges
from tripwire_shared.customers.customer_list import CustomerList
from tripwire_shared.customers.erasure import Erasure
from tripwire_shared.email_address import readable_email
from tripwire_shared.errors import InvalidFields
from tripwire_shared.intake.accept import Accepted, Intake
from tripwire_shared.requests.request import RequestFilter, RequestMode, Wish
from tripwire_shared.requests.request_list import RequestList
from tripwire_shared.serving.body import BETWEEN_REPEATED

# What a client that polls should wait before it asks for the request again.
RETRY_AFTER_SECONDS = "1"
# The bodies of AcceptedSchema, as bytes: only the e-mail has to be written as JSON writes it.
ACCEPTED = b'{"success":true,"request_id":"%b","email":%b,"status":"accepted","mode":"%b"}\n'
PROVISIONED = (
    b'{"success":true,"request_id":"%b","email":%b,"user_id":"%b","status":"provisioned","mode":"sync","fallback":%b}\n'
)
# Of a customer's requests and of what staff did: far more than there ever are.
SHOWN_AT_MOST = 100


IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "The same key with the same body gets the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


class CustomerRoutes(Blueprint):
    ARGUMENTS_PARSER = WishParser()


class AcceptedSchema(Schema):
    success = fields.Boolean(required=True)
    request_id = fields.String(required=True)
    user_id = fields.String()
    email = fields.String(required=True)
    status = fields.String(required=True)
    mode = fields.String(required=True)
    fallback = fields.Boolean()


class CustomerCountsSchema(Schema):
    active = fields.Integer(required=True)
    inactive = fields.Integer(required=True)
    completed = fields.Integer(required=True)
    blocked = fields.Integer(required=True)


class CustomerListSchema(Schema):
    users = fields.List(fields.Nested(CustomerSchema), required=True)
    total = fields.Integer(required=True)
    counts = fields.Nested(CustomerCountsSchema, required=True)
    next_cursor = fields.String(allow_none=True)
    previous_cursor = fields.String(allow_none=True)


class SaleSchema(Schema):
    id = fields.String(required=True)
    amount = fields.Integer(required=True)
    currency = fields.String(required=True)
    created_at = fields.String(required=True)


class CustomerDetailSchema(CustomerSchema):
    sale = fields.Nested(SaleSchema, required=True)
    requests = fields.List(fields.Nested(RequestSchema), required=True)
    activity = fields.List(fields.Nested(DeedSchema), required=True)


class CustomerQuerySchema(ListQuerySchema):
    status = fields.String(validate=validate.OneOf(CUSTOMER_STATUSES))


class CustomerChangeSchema(Schema):
    class Meta:
        unknown = RAISE

    status = fields.String(required=True, validate=validate.OneOf(CUSTOMER_STATUSES))


class ResentSchema(Schema):
    success = fields.Boolean(required=True)
    user_id = fields.String(required=True)
    welcome_email = fields.String(required=True)


def blueprint(
    intake: Intake,
    customers: CustomerList,
    changes: CustomerChanges,
    erasure: Erasure,
    request_list: RequestList,
    sales: SalesStore,
    max_attempts: int,
) -> Blueprint:
    routes = CustomerRoutes("customers", __name__, url_prefix="/api/admin/tripwire/users", description="Customers")

    @routes.route("")
    class Customers(MethodView):
        init_every_request = False  # it holds nothing

        @routes.arguments(CustomerQuerySchema, location="query")
        @routes.response(200, CustomerListSchema)
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            """Customers that match, newest first; a manager's own, an admin's all. `counts`: whatever their status."""
            wanted = customer_filter(query, only_own(current_staff()))
            page, counts = customers.page(wanted, query["limit"], query.get("cursor"))
            return {
                "users": [customer_body(customer) for customer in page.items],
                "total": sum(counts.values()) if wanted.status is None else counts[wanted.status],
                "counts": {status.value: counted for status, counted in counts.items()},
                "next_cursor": page.next_cursor,
                "previous_cursor": page.previous_cursor,
            }

        @routes.arguments(WishSchema())
        @routes.doc(parameters=[IDEMPOTENCY_KEY])
        @routes.response(202, AcceptedSchema)
        @routes.alt_response(201, schema=AcceptedSchema)
        def post(self, wish: Wish) -> Response:
            """Creates a customer: 202 where the queue took it, 201 where it is done already."""
            return answer(intake.accept(wish, current_staff().id, idempotency_key()))

    @routes.route("/<uuid:user_id>")
    class CustomerItem(MethodView):
        @routes.response(200, CustomerDetailSchema)
        def get(self, user_id: UUID) -> dict[str, Any]:
            """One customer with the sale, the requests for this address, and what staff did."""
            only_staff = only_own(current_staff())
            customer = customers.get(user_id, only_staff)
            # Of an erased one too: its requests share the placeholder.
            same_email = RequestFilter(only_staff=only_staff, email=customer.email)
            requests, _ = request_list.page(same_email, SHOWN_AT_MOST)
            deeds = sales.activity(ActivityFilter(request_id=customer.request_id), SHOWN_AT_MOST)
            return {
                **customer_body(customer),
                "sale": sale_body(customer.sale),
                "requests": [request_body(found, max_attempts) for found in requests.items],
                "activity": [deed_body(deed, for_manager=only_staff) for deed in deeds],
            }

        @routes.arguments(CustomerChangeSchema)
        @routes.response(200, CustomerSchema)
        def patch(self, change: dict[str, str], user_id: UUID) -> dict[str, Any]:
            """Changes the status."""
            staff = current_staff()
            changes.set_status(user_id, CustomerStatus(change["status"]), staff.id, only_own(staff))
            return customer_body(customers.get(user_id, only_own(staff)))

        @routes.response(204)
        def delete(self, user_id: UUID) -> Response:
            """Erases the person's data (admin); the sale stays, and the address is free again."""
            erasure.erase(user_id, admins_only().id)
            return Response(status=204)

    @routes.route("/<uuid:user_id>/resend-welcome")
    class Resend(MethodView):
        @routes.response(202, ResentSchema)
        def post(self, user_id: UUID) -> dict[str, Any]:
            """A new welcome mail with a new link; the old link dies at once. Once a minute for a customer."""
            staff = current_staff()
            changes.resend_welcome(user_id, staff.id, only_own(staff))
            return {"success": True, "user_id": str(user_id), "welcome_email": "pending"}

    return routes


def customer_filter(query: dict[str, Any], only_staff: UUID | None) -> CustomerFilter:
    return CustomerFilter(
        only_staff=only_staff,
        manager_id=query.get("manager_id"),
        status=CustomerStatus(query["status"]) if "status" in query else None,
        since=query.get("since"),
        until=query.get("until"),
        q=query.get("q"),
    )


def sale_body(sale: Sale) -> dict[str, Any]:
    return {
        "id": str(sale.id), "amount": sale.amount, "currency": sale.currency, "created_at": iso(sale.created_at),
    }  # fmt: skip


def idempotency_key() -> str | None:
    """Raises InvalidFields: one header of 1 to 255 printable ASCII characters."""
    key: str | None = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if BETWEEN_REPEATED in key:
        raise InvalidFields({"Idempotency-Key": ["Must not come twice."]})
    if not 1 <= len(key) <= 255 or not (key.isascii() and key.isprintable()):
        raise InvalidFields({"Idempotency-Key": ["Must be 1 to 255 printable ASCII characters."]})
    return key


def answer(accepted: Accepted) -> ReadyResponse:
    if (current := current_client_request()) is not None:
        current.mode = "replayed" if accepted.replayed else accepted.mode.value
        current.accepted = None if accepted.replayed else accepted.request_id
    request_id, email = str(accepted.request_id).encode(), json.dumps(readable_email(accepted.email)).encode()
    if accepted.user_id is None:
        mode = b"async" if accepted.mode is RequestMode.ASYNC else b"sync"
        body, status = ACCEPTED % (request_id, email, mode), 202
        place = f"/api/admin/tripwire/requests/{accepted.request_id}"
        headers = [("Location", place), ("Retry-After", RETRY_AFTER_SECONDS)]
    else:
        fallback = b"true" if accepted.mode is RequestMode.FALLBACK else b"false"
        body, status = PROVISIONED % (request_id, email, str(accepted.user_id).encode(), fallback), 201
        headers = [("Location", f"/api/admin/tripwire/users/{accepted.user_id}")]
    if accepted.replayed:
        headers.append(("Idempotent-Replayed", "true"))
    return ReadyResponse(body, status, headers)
