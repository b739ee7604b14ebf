"""How the things that several routes show look as JSON: a schema for the documentation, and the function beside it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields, validate

from tripwire_shared.customers.customer import Customer, CustomerStatus
from tripwire_shared.email_address import readable_email
from tripwire_shared.requests.request import ListedRequest, RequestMode, RequestStatus, Step
from tripwire_shared.staff.staff import StaffName

REQUEST_STATUSES = [status.value for status in RequestStatus]
REQUEST_MODES = [mode.value for mode in RequestMode]
MAIL_STATES = ["pending", "sent", "failed"]
CUSTOMER_STATUSES = [status.value for status in CustomerStatus]


class StaffNameSchema(Schema):
    """A member of staff as others name one."""

    id = fields.String(required=True)
    email = fields.String(required=True)
    full_name = fields.String(required=True)


class StepSchema(Schema):
    step = fields.String(required=True)
    at = fields.String(required=True)
    detail = fields.String(allow_none=True)


class RequestSchema(Schema):
    request_id = fields.String(required=True)
    email = fields.String(required=True)
    full_name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(REQUEST_STATUSES))
    mode = fields.String(required=True, validate=validate.OneOf(REQUEST_MODES))
    attempts = fields.Integer(required=True)
    max_attempts = fields.Integer(required=True)
    error = fields.String(allow_none=True)
    user_id = fields.String(allow_none=True)
    manager = fields.Nested(StaffNameSchema, required=True)
    price = fields.Integer(required=True)
    currency = fields.String(required=True)
    accepted_at = fields.String(required=True)
    finished_at = fields.String(allow_none=True)
    took_seconds = fields.Float(allow_none=True)
    due_at = fields.String(allow_none=True)
    welcome_email = fields.String(required=True, validate=validate.OneOf(MAIL_STATES))
    steps = fields.List(fields.Nested(StepSchema))


class CustomerSchema(Schema):
    user_id = fields.String(required=True)
    email = fields.String(required=True)
    full_name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(CUSTOMER_STATUSES))
    manager = fields.Nested(StaffNameSchema, required=True)
    price = fields.Integer(required=True)
    currency = fields.String(required=True)
    created_at = fields.String(required=True)
    request_id = fields.String(required=True)
    welcome_email = fields.String(required=True, validate=validate.OneOf(MAIL_STATES))
    erased = fields.Boolean(required=True)


def iso(at: datetime) -> str:
    return at.isoformat()


def iso_or_none(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def staff_name(staff: StaffName) -> dict[str, str]:
    return {"id": str(staff.id), "email": readable_email(staff.email), "full_name": staff.full_name}


def mail_word(state: str | None) -> str:
    """How a welcome mail stands. Under way there is none yet, but there will be one: pending. What ended without a
    customer has none, and none will come (unless an admin retries it): failed."""
    return state or "failed"


def request_body(found: ListedRequest, max_attempts: int, steps: list[Step] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "request_id": str(found.id),
        "email": readable_email(found.email),
        "full_name": found.full_name,
        "status": found.status.value,
        "mode": found.mode.value,
        "attempts": found.attempts,
        "max_attempts": max_attempts,
        "error": found.error,
        "user_id": None if found.user_id is None else str(found.user_id),
        "manager": staff_name(found.manager),
        "price": found.price,
        "currency": found.currency,
        "accepted_at": iso(found.accepted_at),
        "finished_at": iso_or_none(found.finished_at),
        "took_seconds": found.took_seconds,
        "due_at": iso_or_none(found.due_at),
        "welcome_email": mail_word(found.welcome_email) if found.finished else "pending",
    }
    if steps is not None:
        body["steps"] = [{**asdict(step), "at": iso(step.at)} for step in steps]
    return body


def customer_body(customer: Customer) -> dict[str, Any]:
    return {
        "user_id": str(customer.user_id),
        "email": readable_email(customer.email),
        "full_name": customer.full_name,
        "status": customer.status.value,
        "manager": staff_name(customer.manager),
        "price": customer.sale.amount,
        "currency": customer.sale.currency,
        "created_at": iso(customer.created_at),
        "request_id": str(customer.request_id),
        "welcome_email": mail_word(customer.welcome_email),
        "erased": customer.erased,
    }
