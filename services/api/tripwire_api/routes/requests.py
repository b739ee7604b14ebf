"""Requests over HTTP: one with its steps, the list, and an admin's retry."""

from typing import Any, ClassVar
from uuid import UUID

from flask import request
from flask.views import MethodView
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from tripwire_api.http.access import admins_only, current_staff, current_token, for_admins, look_again, only_own
from tripwire_api.http.body_rules import Blueprint
from tripwire_api.http.field_rules import ListQuerySchema, Moment
from tripwire_api.http.long_waits import LongWaits
from tripwire_shared.answers.requests import RequestItem, RequestPage, Retried
from tripwire_shared.answers.vocabulary import RequestMode, RequestStatus
from tripwire_shared.postgres.database import off_the_clock
from tripwire_shared.requests.request import RequestFilter
from tripwire_shared.requests.request_list import RequestList
from tripwire_shared.requests.request_store import RequestStore
from tripwire_shared.serving.places import place_of
from tripwire_shared.timings import PREFER_WAIT_MAX

IDS_AT_MOST = 100
REQUEST_STATUSES = [status.value for status in RequestStatus]
REQUEST_MODES = [mode.value for mode in RequestMode]
PREFER = {
    "in": "header",
    "name": "Prefer",
    "description": "`wait=10` holds the answer until the request is finished or the seconds (at most 30) are over.",
    "schema": {"type": "string", "example": "wait=10"},
}


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


class RequestQuerySchema(ListQuerySchema):
    status = fields.String(validate=validate.OneOf(REQUEST_STATUSES))
    mode = fields.String(validate=validate.OneOf(REQUEST_MODES))
    ids = CommaSeparatedIds(metadata={"type": "string", "description": f"Up to {IDS_AT_MOST}, separated by commas."})


class RetryFilterSchema(Schema):
    """Which failed requests to retry: all that match every field given."""

    class Meta:
        unknown = RAISE

    q = fields.String(validate=validate.Length(max=254))
    mode = fields.String(validate=validate.OneOf(REQUEST_MODES))
    manager_id = fields.UUID()
    since = Moment(data_key="from")
    until = Moment(data_key="to", whole_day=True)


def blueprint(requests: RequestList, store: RequestStore, waits: LongWaits) -> Blueprint:
    routes = Blueprint("requests", __name__, url_prefix="/api/admin/tripwire/requests", description="Requests")

    @routes.route("")
    class Requests(MethodView):
        @routes.arguments(RequestQuerySchema, location="query")
        @routes.answers(200, RequestPage)
        def get(self, query: dict[str, Any]) -> RequestPage:
            """Requests that match, newest first; a manager's own, an admin's all. `counts`: whatever their status."""
            wanted = request_filter(query, only_own(current_staff()))
            return requests.page(wanted, query["limit"], query.get("cursor"))

    @routes.route("/<uuid:request_id>")
    class OneRequest(MethodView):
        @routes.doc(parameters=[PREFER])
        @routes.answers(200, RequestItem)
        def get(self, request_id: UUID) -> RequestItem:
            """One request with its steps. `Prefer: wait=10` holds the answer until it is finished."""
            only_staff = only_own(current_staff())
            found = requests.get(request_id, only_staff)
            seconds = wanted_wait()
            if seconds and not found.finished:
                # This time is not the database's.
                with off_the_clock():
                    waited = waits.until_finished(request_id, seconds, place_of(request.environ), current_token())
                if waited:
                    found = requests.get(request_id, only_own(look_again()))
            return requests.with_steps(found)

    @routes.route("/<uuid:request_id>/retry")
    class RequestRetry(MethodView):
        @routes.answers(202, RequestItem)
        def post(self, request_id: UUID) -> RequestItem:
            """Retries a failed request (admin)."""
            store.retry(request_id, admins_only().id)
            return requests.with_steps(requests.get(request_id))

    @routes.route("/retry")
    class MatchingRetry(MethodView):
        # The body is read after the role: a manager is told 403 whatever was sent.
        decorators: ClassVar = [for_admins]

        @routes.arguments(RetryFilterSchema)
        @routes.answers(202, Retried)
        def post(self, fields: dict[str, Any]) -> Retried:
            """Retries failed requests that match, 100 a call (admin). Call again until none is `remaining`."""
            return requests.retry_matching(request_filter(fields, None), current_staff().id)

    return routes


def request_filter(query: dict[str, Any], only_staff: UUID | None) -> RequestFilter:
    return RequestFilter(
        only_staff=only_staff,
        status=RequestStatus(query["status"]) if "status" in query else None,
        q=query.get("q"),
        ids=tuple(query["ids"]) if "ids" in query else None,
        mode=RequestMode(query["mode"]) if "mode" in query else None,
        manager_id=query.get("manager_id"),
        since=query.get("since"),
        until=query.get("until"),
    )


def wanted_wait() -> float:
    """The seconds of `Prefer: wait=…`, at most 30; a malformed preference is ignored (RFC 7240)."""
    for preference in request.headers.get("Prefer", "").split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        seconds = value.strip().strip('"')
        if name.strip().lower() == "wait" and seconds.isascii() and seconds.isdecimal():
            return min(float(seconds), PREFER_WAIT_MAX)
    return 0.0
