"""Requests over HTTP: one with its steps, the list, and an admin's retry."""

import threading
import time
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, pre_load, validate

from tripwire_api.access import admins_only, current_staff
from tripwire_api.stopping import STOPPING
from tripwire_shared.database import off_the_clock, within
from tripwire_shared.intake.request_states import Request, RequestStatus, Step
from tripwire_shared.intake.request_store import RequestFilter, RequestStore
from tripwire_shared.resources import Resources
from tripwire_shared.staff.staff import Role, Staff
from tripwire_shared.timings import API_REQUEST_BUDGET, PREFER_WAIT_MAX, PREFER_WAIT_POLL

IDS_AT_MOST = 100
PREFER = {
    "in": "header",
    "name": "Prefer",
    "description": "`wait=10` holds the answer until the request is finished or the seconds (at most 30) are over.",
    "schema": {"type": "string", "example": "wait=10"},
}


class StepSchema(Schema):
    step = fields.String(required=True)
    at = fields.String(required=True)
    detail = fields.String(allow_none=True)


class RequestSchema(Schema):
    request_id = fields.String(required=True)
    email = fields.String(required=True)
    full_name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf([status.value for status in RequestStatus]))
    mode = fields.String(required=True, validate=validate.OneOf(["async", "sync", "fallback"]))
    attempts = fields.Integer(required=True)
    error = fields.String(allow_none=True)
    user_id = fields.String(allow_none=True)
    accepted_at = fields.String(required=True)
    finished_at = fields.String(allow_none=True)
    welcome_email = fields.String(allow_none=True)
    steps = fields.List(fields.Nested(StepSchema))


class RequestListSchema(Schema):
    requests = fields.List(fields.Nested(RequestSchema), required=True)
    total = fields.Integer(required=True)
    next_cursor = fields.String(allow_none=True)


class CommaSeparatedIds(fields.Field[list[UUID]]):
    """`ids=a,b,c`: up to IDS_AT_MOST ids."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> list[UUID]:
        parts = [part for part in str(value).split(",") if part]
        if len(parts) > IDS_AT_MOST:
            raise ValidationError(f"At most {IDS_AT_MOST} ids.")
        try:
            return [UUID(part) for part in parts]
        except ValueError:
            raise ValidationError("Must be ids of requests, separated by commas.") from None


class RequestQuerySchema(Schema):
    """An empty `status=` (as a form sends it) says nothing; empty `ids=` says: none."""

    @pre_load
    def without_empty(self, data: Any, **_: Any) -> dict[str, Any]:
        return {name: value for name, value in dict(data).items() if value or name == "ids"}

    status = fields.String(validate=validate.OneOf([status.value for status in RequestStatus]))
    q = fields.String(validate=validate.Length(max=254))
    ids = CommaSeparatedIds(metadata={"type": "string", "description": f"Up to {IDS_AT_MOST}, separated by commas."})
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    cursor = fields.String(validate=validate.Length(max=200))


class LongWaits:
    """`Prefer: wait`: at most half of the process' threads wait; the others stay free for everybody else."""

    def __init__(self, threads: int) -> None:
        self._places = threading.BoundedSemaphore(threads // 2)

    def until_finished(self, store: RequestStore, found: Request, only_staff: UUID | None, seconds: float) -> Request:
        if seconds <= 0 or found.finished or not self._places.acquire(blocking=False):
            return found
        try:
            # Each look has a budget of its own: three hundred of them may take longer than one request's.
            with off_the_clock():
                give_up_at = time.monotonic() + seconds
                while not found.finished and not STOPPING.is_set() and (left := give_up_at - time.monotonic()) > 0:
                    time.sleep(min(PREFER_WAIT_POLL, left))
                    with within(API_REQUEST_BUDGET):
                        found = store.get(found.id, only_staff)
            return found
        finally:
            self._places.release()


def blueprint(resources: Resources) -> Blueprint:
    routes = Blueprint("requests", __name__, url_prefix="/api/admin/tripwire/requests", description="Requests")
    store = resources.requests
    waits = LongWaits(resources.settings.web_threads)

    @routes.route("")
    class RequestList(MethodView):
        @routes.arguments(RequestQuerySchema, location="query")
        @routes.response(200, RequestListSchema)
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            """Requests that match, newest first; a manager's own, an admin's all."""
            status = RequestStatus(query["status"]) if "status" in query else None
            ids = tuple(query["ids"]) if "ids" in query else None
            wanted = RequestFilter(only_own(current_staff()), status, query.get("q"), ids)
            page = store.page(wanted, query["limit"], query.get("cursor"))
            shown = [request_body(found) for found in page.requests]
            return {"requests": shown, "total": page.total, "next_cursor": page.next_cursor}

    @routes.route("/<uuid:request_id>")
    class RequestItem(MethodView):
        @routes.doc(parameters=[PREFER])
        @routes.response(200, RequestSchema)
        def get(self, request_id: UUID) -> dict[str, Any]:
            """One request with its steps. `Prefer: wait=10` holds the answer until it is finished."""
            only_staff = only_own(current_staff())
            found = store.get(request_id, only_staff)
            found = waits.until_finished(store, found, only_staff, wanted_wait())
            return request_body(found, store.steps(found))

    @routes.route("/<uuid:request_id>/retry")
    class RequestRetry(MethodView):
        @routes.response(202, RequestSchema)
        def post(self, request_id: UUID) -> Response:
            """Takes a failed request up again (admin)."""
            staff = admins_only()
            store.retry(request_id, staff.id)
            found = store.get(request_id)
            answer = jsonify(request_body(found, store.steps(found)))
            answer.status_code = 202
            return answer

    return routes


def only_own(staff: Staff) -> UUID | None:
    """The filter of a list: a manager sees their own, an admin all."""
    return None if staff.role is Role.ADMIN else staff.id


def wanted_wait() -> float:
    """The seconds of `Prefer: wait=…`, at most 30; a malformed preference is ignored (RFC 7240)."""
    for preference in request.headers.get("Prefer", "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        seconds = value.strip().strip('"')
        if name.strip().lower() == "wait" and seconds.isascii() and seconds.isdecimal():
            return min(float(seconds), PREFER_WAIT_MAX)
    return 0.0


def request_body(found: Request, steps: list[Step] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "request_id": str(found.id),
        "email": found.email,
        "full_name": found.full_name,
        "status": found.status.value,
        "mode": found.mode.value,
        "attempts": found.attempts,
        "error": found.error,
        "user_id": None if found.user_id is None else str(found.user_id),
        "accepted_at": iso(found.accepted_at),
        "finished_at": None if found.finished_at is None else iso(found.finished_at),
        # Under way there is no mail yet, but there will be one.
        "welcome_email": found.welcome_email if found.finished else "pending",
    }
    if steps is not None:
        body["steps"] = [{**asdict(step), "at": iso(step.at)} for step in steps]
    return body


def iso(at: datetime) -> str:
    return at.isoformat()
