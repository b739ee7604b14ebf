"""What was sold, over HTTP: figures, leaderboard, chart, and who did what. A manager sees their own, an admin all."""

from typing import Any

from flask.views import MethodView
from marshmallow import fields, validate

from tripwire_api.http.access import current_staff, only_own
from tripwire_api.http.body_rules import Blueprint
from tripwire_api.http.field_rules import QuerySchema, obeys
from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_list import ActivityFilter, ActivityList
from tripwire_shared.answers.activity import ActivityPage
from tripwire_shared.answers.sales import Chart, Leaderboard, OwnStats, Stats
from tripwire_shared.sales.sales_figures import SalesFigures
from tripwire_shared.time_zone import time_zone_problem

DAYS = {"week": 7, "month": 30, "year": 365}


class FiguresQuerySchema(QuerySchema):
    """`tz` rules what a day, a week and a month are; without it the setting TIME_ZONE does."""

    tz = fields.String(validate=obeys(time_zone_problem), metadata={"example": "Asia/Almaty"})


class ChartQuerySchema(FiguresQuerySchema):
    period = fields.String(load_default="week", validate=validate.OneOf(list(DAYS)))


class ActivityQuerySchema(QuerySchema):
    staff_id = fields.UUID()
    action = fields.String(validate=validate.OneOf([action.value for action in Action]))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    before = fields.Integer(validate=validate.Range(1, 2**63 - 1))


def blueprint(figures: SalesFigures, activity: ActivityList, time_zone: str) -> Blueprint:
    routes = Blueprint("sales", __name__, url_prefix="/api/admin/tripwire", description="Sales and activity")

    @routes.route("/stats")
    class StatsItem(MethodView):
        @routes.arguments(FiguresQuerySchema, location="query")
        @routes.answers(200, Stats)
        def get(self, query: dict[str, str]) -> Stats:
            """Customers and revenue: a manager's own, for an admin everybody's."""
            return figures.stats(only_own(current_staff()), query.get("tz", time_zone))

    @routes.route("/my-stats")
    class OwnStatsItem(MethodView):
        @routes.arguments(FiguresQuerySchema, location="query")
        @routes.answers(200, OwnStats)
        def get(self, query: dict[str, str]) -> OwnStats:
            """The caller's own, with their place on the leaderboard (none where they do not sell)."""
            return figures.own_stats(current_staff().id, query.get("tz", time_zone))

    @routes.route("/leaderboard")
    class LeaderboardItem(MethodView):
        @routes.arguments(FiguresQuerySchema, location="query")
        @routes.answers(200, Leaderboard)
        def get(self, query: dict[str, str]) -> Leaderboard:
            """Managers by revenue, by customers where they sell in several currencies. A manager sees
            their own line, with its place among all."""
            own_id = only_own(current_staff())
            shown = [
                line for line in figures.leaderboard(query.get("tz", time_zone)) if own_id in (None, line.manager.id)
            ]
            return Leaderboard(leaderboard=tuple(shown))

    @routes.route("/sales-chart")
    class ChartItem(MethodView):
        @routes.arguments(ChartQuerySchema, location="query")
        @routes.answers(200, Chart)
        def get(self, query: dict[str, str]) -> Chart:
            """Each of the last 7, 30 or 365 days, oldest first."""
            period = query["period"]
            zone = query.get("tz", time_zone)
            return figures.chart(period, DAYS[period], only_own(current_staff()), zone)

    @routes.route("/activity")
    class Activity(MethodView):
        @routes.arguments(ActivityQuerySchema, location="query")
        @routes.answers(200, ActivityPage)
        def get(self, query: dict[str, Any]) -> ActivityPage:
            """Who did what, newest first; what a manager did themselves, for an admin all of it."""
            action = Action(query["action"]) if "action" in query else None
            wanted = ActivityFilter(only_own(current_staff()), query.get("staff_id"), action)
            return activity.page(wanted, query["limit"], query.get("before"))

    return routes
