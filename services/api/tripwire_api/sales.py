"""What was sold, over HTTP: figures, leaderboard, chart, and who did what. A manager sees their own, an admin all."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask.views import MethodView
from marshmallow import Schema, fields, validate

from tripwire_api.access import current_staff, only_own
from tripwire_api.body_rules import Blueprint
from tripwire_api.field_rules import QuerySchema
from tripwire_api.sales_store import ActivityFilter, Deed, Place, SalesStore
from tripwire_api.shapes import StaffNameSchema, iso, staff_name
from tripwire_shared.activity.activity import Action

DAYS = {"week": 7, "month": 30, "year": 365}


class StatsSchema(Schema):
    total_customers = fields.Integer(required=True)
    active = fields.Integer(required=True)
    inactive = fields.Integer(required=True)
    completed = fields.Integer(required=True)
    blocked = fields.Integer(required=True)
    total_revenue = fields.Integer(required=True)
    this_week = fields.Integer(required=True)
    this_month = fields.Integer(required=True)
    revenue_this_month = fields.Integer(required=True)
    currency = fields.String(allow_none=True)


class OwnStatsSchema(StatsSchema):
    place = fields.Integer(allow_none=True)
    of = fields.Integer(required=True)


class PlaceSchema(Schema):
    place = fields.Integer(required=True)
    manager = fields.Nested(StaffNameSchema, required=True)
    customers = fields.Integer(required=True)
    revenue = fields.Integer(required=True)
    this_month = fields.Integer(required=True)
    currency = fields.String(allow_none=True)


class LeaderboardSchema(Schema):
    leaderboard = fields.List(fields.Nested(PlaceSchema), required=True)


class ChartQuerySchema(QuerySchema):
    period = fields.String(load_default="week", validate=validate.OneOf(list(DAYS)))


class DaySchema(Schema):
    date = fields.String(required=True)
    customers = fields.Integer(required=True)
    revenue = fields.Integer(required=True)


class ChartSchema(Schema):
    period = fields.String(required=True)
    days = fields.List(fields.Nested(DaySchema), required=True)


class ActivityQuerySchema(QuerySchema):
    staff_id = fields.UUID()
    action = fields.String(validate=validate.OneOf([action.value for action in Action]))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    before = fields.Integer(validate=validate.Range(1, 2**63 - 1))


class DeedSchema(Schema):
    id = fields.Integer(required=True)
    at = fields.String(required=True)
    staff = fields.Nested(StaffNameSchema, allow_none=True)
    action = fields.String(required=True)
    user_id = fields.String(allow_none=True)
    request_id = fields.String(allow_none=True)
    detail = fields.Dict(keys=fields.String())
    address = fields.String(allow_none=True)


class ActivitySchema(Schema):
    activity = fields.List(fields.Nested(DeedSchema), required=True)
    actions = fields.List(fields.String(), required=True)
    next_before = fields.Integer(allow_none=True)


def blueprint(store: SalesStore) -> Blueprint:
    routes = Blueprint("sales", __name__, url_prefix="/api/admin/tripwire", description="Sales and activity")

    @routes.route("/stats")
    class StatsItem(MethodView):
        @routes.response(200, StatsSchema)
        def get(self) -> dict[str, Any]:
            """Customers and revenue: a manager's own, for an admin everybody's."""
            return asdict(store.stats(only_own(current_staff())))

    @routes.route("/my-stats")
    class OwnStatsItem(MethodView):
        @routes.response(200, OwnStatsSchema)
        def get(self) -> dict[str, Any]:
            """The caller's own, with their place on the leaderboard (none where they do not sell)."""
            own_id, board = current_staff().id, store.leaderboard()
            place = next((line.place for line in board if line.manager.id == own_id), None)
            return {**asdict(store.stats(own_id)), "place": place, "of": len(board)}

    @routes.route("/leaderboard")
    class Leaderboard(MethodView):
        @routes.response(200, LeaderboardSchema)
        def get(self) -> dict[str, Any]:
            """Managers by revenue. A manager sees their own line, with its place among all."""
            own_id = only_own(current_staff())
            shown = [line for line in store.leaderboard() if own_id in (None, line.manager.id)]
            return {"leaderboard": [place_body(line) for line in shown]}

    @routes.route("/sales-chart")
    class Chart(MethodView):
        @routes.arguments(ChartQuerySchema, location="query")
        @routes.response(200, ChartSchema)
        def get(self, query: dict[str, str]) -> dict[str, Any]:
            """Each of the last 7, 30 or 365 days, oldest first."""
            days = store.by_day(DAYS[query["period"]], only_own(current_staff()))
            return {"period": query["period"], "days": [{**asdict(day), "date": day.date.isoformat()} for day in days]}

    @routes.route("/activity")
    class Activity(MethodView):
        @routes.arguments(ActivityQuerySchema, location="query")
        @routes.response(200, ActivitySchema)
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            """Who did what, newest first; a manager's own deeds, for an admin everybody's."""
            action = Action(query["action"]) if "action" in query else None
            wanted = ActivityFilter(only_own(current_staff()), query.get("staff_id"), action)
            deeds = store.activity(wanted, query["limit"] + 1, query.get("before"))
            shown = deeds[: query["limit"]]
            return {
                "activity": [deed_body(deed) for deed in shown],
                "actions": [action.value for action in Action],
                "next_before": shown[-1].id if len(deeds) > len(shown) else None,
            }

    return routes


def place_body(line: Place) -> dict[str, Any]:
    return {**asdict(line), "manager": staff_name(line.manager)}


def deed_body(deed: Deed, *, for_manager: UUID | None = None) -> dict[str, Any]:
    """`for_manager`: who reads it, where that is no admin: then others' addresses are left out."""
    of_others = deed.staff is None or deed.staff.id != for_manager
    return {
        "id": deed.id,
        "at": iso(deed.at),
        "staff": None if deed.staff is None else staff_name(deed.staff),
        "action": deed.action,
        "user_id": None if deed.user_id is None else str(deed.user_id),
        "request_id": None if deed.request_id is None else str(deed.request_id),
        "detail": deed.detail,
        "address": None if for_manager is not None and of_others else deed.address,
    }
