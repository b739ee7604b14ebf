"""Customers over HTTP: creating one, lists, and what may be done with one. The decisions stand in `intake/accept.py`
and in `customers/`."""

import json
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema
from msgspec.structs import asdict

from tripwire_api.http.access import admins_only, current_staff, only_own
from tripwire_api.http.body_rules import Blueprint, reference
from tripwire_api.http.client_request import current_client_request
from tripwire_api.http.field_rules import ListQuerySchema, full_name_field
from tripwire_api.http.ready_response import ReadyResponse
from tripwire_api.http.request_body import NewCustomerParser, NewCustomerSchema
from tripwire_shared.activity.activity_list import ActivityList
from tripwire_shared.answers.customers import Created, Customer, CustomerDetail, CustomerPage, Resent, WelcomeLink
from tripwire_shared.answers.vocabulary import CustomerStatus, MailStatus, RequestMode
from tripwire_shared.customers.customer import CustomerFilter
from tripwire_shared.customers.customer_changes import CustomerChanges
from tripwire_shared.customers.customer_list import CustomerList
from tripwire_shared.customers.erasure import Erasure
from tripwire_shared.email_address import normalised_email, readable_email
from tripwire_shared.errors import InvalidFields
from tripwire_shared.intake.accept import Accepted, Intake
from tripwire_shared.requests.request import NewCustomer, RequestFilter
from tripwire_shared.requests.request_list import RequestList
from tripwire_shared.serving.body import BETWEEN_REPEATED

# What a client that polls should wait before it asks for the request again.
RETRY_AFTER_SECONDS = "1"
# The bodies of `Created`, as bytes: only the e-mail has to be written as JSON writes it.
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


STATUSES = [status.value for status in CustomerStatus]


class CustomerRoutes(Blueprint):
    ARGUMENTS_PARSER = NewCustomerParser()


class CustomerQuerySchema(ListQuerySchema):
    status = fields.String(validate=validate.OneOf(STATUSES))


class CustomerChangeSchema(Schema):
    class Meta:
        unknown = RAISE

    status = fields.String(validate=validate.OneOf(STATUSES))
    full_name = full_name_field()

    @validates_schema
    def holds_something(self, data: dict[str, str], **_: Any) -> None:
        if not data:
            raise ValidationError({name: ["Give status, full_name or both."] for name in ("status", "full_name")})

    @post_load
    def typed(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | ({"status": CustomerStatus(data["status"])} if "status" in data else {})


def blueprint(
    intake: Intake,
    customers: CustomerList,
    changes: CustomerChanges,
    erasure: Erasure,
    request_list: RequestList,
    activity: ActivityList,
) -> Blueprint:
    routes = CustomerRoutes("customers", __name__, url_prefix="/api/admin/tripwire/users", description="Customers")

    @routes.route("")
    class Customers(MethodView):
        init_every_request = False  # it holds nothing

        @routes.arguments(CustomerQuerySchema, location="query")
        @routes.answers(200, CustomerPage)
        def get(self, query: dict[str, Any]) -> CustomerPage:
            """Customers that match, newest first; a manager's own, an admin's all. `counts`: whatever their status."""
            wanted = customer_filter(query, only_own(current_staff()))
            return customers.page(wanted, query["limit"], query.get("cursor"))

        @routes.arguments(NewCustomerSchema())
        @routes.doc(parameters=[IDEMPOTENCY_KEY])
        @routes.response(202, reference(Created))
        @routes.alt_response(201, schema=reference(Created))
        def post(self, customer: NewCustomer) -> Response:
            """Creates a customer: 202 where the queue took it, 201 where it is done already."""
            return answer(intake.accept(customer, current_staff().id, idempotency_key()))

    @routes.route("/<uuid:user_id>")
    class CustomerItem(MethodView):
        @routes.answers(200, CustomerDetail)
        def get(self, user_id: UUID) -> CustomerDetail:
            """One customer with the sale, the requests for this address, and what staff did."""
            only_staff = only_own(current_staff())
            customer, sale = customers.with_sale(user_id, only_staff)
            # Of an erased one too: its requests share the placeholder.
            same_email = RequestFilter(only_staff=only_staff, email=normalised_email(customer.email))
            return CustomerDetail(
                **asdict(customer),
                sale=sale,
                requests=request_list.page(same_email, SHOWN_AT_MOST).requests,
                activity=activity.of_request(customer.request_id, SHOWN_AT_MOST, only_staff),
            )

        @routes.arguments(CustomerChangeSchema)
        @routes.answers(200, Customer)
        def patch(self, change: dict[str, Any], user_id: UUID) -> Customer:
            """Changes the status, corrects the name, or both."""
            staff = current_staff()
            changes.change(user_id, staff.id, **change, only_staff=only_own(staff))
            return customers.get(user_id, only_own(staff))

        @routes.response(204)
        def delete(self, user_id: UUID) -> Response:
            """Erases the person's data (admin); the sale stays, and the address is free again."""
            erasure.erase(user_id, admins_only().id)
            return Response(status=204)

    _add_links(routes, changes)
    return routes


def _add_links(routes: CustomerRoutes, changes: CustomerChanges) -> None:
    """New links, handed over or mailed."""

    @routes.route("/<uuid:user_id>/welcome-link")
    class Link(MethodView):
        @routes.answers(201, WelcomeLink)
        def post(self, user_id: UUID) -> WelcomeLink:
            """A new link to hand over by other ways; the old one dies at once. With new mails, once a minute for a
            customer."""
            staff = current_staff()
            return changes.make_link(user_id, staff.id, only_own(staff))

    @routes.route("/<uuid:user_id>/resend-welcome")
    class Resend(MethodView):
        @routes.answers(202, Resent)
        def post(self, user_id: UUID) -> Resent:
            """A new welcome mail with a new link; the old link dies at once. Once a minute for a customer."""
            staff = current_staff()
            changes.resend_welcome(user_id, staff.id, only_own(staff))
            return Resent(success=True, user_id=user_id, welcome_email=MailStatus.PENDING)


def customer_filter(query: dict[str, Any], only_staff: UUID | None) -> CustomerFilter:
    return CustomerFilter(
        only_staff=only_staff,
        manager_id=query.get("manager_id"),
        status=CustomerStatus(query["status"]) if "status" in query else None,
        since=query.get("since"),
        until=query.get("until"),
        q=query.get("q"),
    )


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
