"""What happened when, over HTTP (admin only): charts, the parts' last day, and incidents."""

from datetime import UTC, datetime
from typing import Any

from flask.views import MethodView
from marshmallow import fields, validate

from tripwire_api.http.body_rules import Blueprint
from tripwire_api.http.field_rules import QuerySchema
from tripwire_shared.answers.history import Availability, DeployList, History, IncidentPage
from tripwire_shared.deploys.deploys import Deploys
from tripwire_shared.incidents.incident_history import IncidentHistory
from tripwire_shared.metrics.provisioning_figures import ProvisioningFigures
from tripwire_shared.mode.mode_store import ModeStore

# Seconds of a bucket, and how many: an hour by minutes, a day by ten minutes, a week by hours.
WINDOWS = {"1h": (60, 60), "24h": (600, 144), "7d": (3600, 168)}
# The bars of a part: a day by half hours.
BAR_SECONDS, BARS = 1800, 48


class WindowSchema(QuerySchema):
    window = fields.String(load_default="1h", validate=validate.OneOf(list(WINDOWS)))


class IncidentQuerySchema(QuerySchema):
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 500))
    before = fields.Integer(validate=validate.Range(1, 2**63 - 1))


class DeployQuerySchema(QuerySchema):
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 500))


def blueprint(
    figures: ProvisioningFigures, incidents: IncidentHistory, mode_store: ModeStore, deploys: Deploys
) -> Blueprint:
    routes = Blueprint("system_history", __name__, url_prefix="/api/admin/system", description="The system")

    @routes.route("/history")
    class HistoryItem(MethodView):
        @routes.arguments(WindowSchema, location="query")
        @routes.answers(200, History)
        def get(self, query: dict[str, str]) -> History:
            """Customers provisioned and requests failed, bucket by bucket, with the outages and switches between. Null
            where nobody measured."""
            seconds, count = WINDOWS[query["window"]]
            buckets = figures.history(seconds, count)
            since = buckets[0].at
            return History(
                window=query["window"],
                bucket_seconds=seconds,
                begins=since,
                ends=datetime.now(UTC),
                buckets=buckets,
                outages=tuple(incidents.outages_since(since)),
                switches=tuple(mode_store.switches_since(since)),
            )

    @routes.route("/availability")
    class AvailabilityItem(MethodView):
        @routes.answers(200, Availability)
        def get(self) -> Availability:
            """Each part's last day in half hours, from the incidents; `unknown` where nobody measured."""
            parts = incidents.availability(BAR_SECONDS, BARS)
            return Availability(
                bucket_seconds=BAR_SECONDS,
                begins=parts[0].since,
                parts={part.part: tuple(part.words) for part in parts},
                down_seconds={part.part: part.down_seconds for part in parts},
                outages={part.part: part.outages for part in parts},
            )

    @routes.route("/incidents")
    class Incidents(MethodView):
        @routes.arguments(IncidentQuerySchema, location="query")
        @routes.answers(200, IncidentPage)
        def get(self, query: dict[str, Any]) -> IncidentPage:
            """Incidents: open ones first, then the newest."""
            shown, next_before = incidents.page(query["limit"], query.get("before"))
            return IncidentPage(incidents=tuple(shown), next_before=next_before)

    @routes.route("/deploys")
    class AllDeploys(MethodView):
        @routes.arguments(DeployQuerySchema, location="query")
        @routes.answers(200, DeployList)
        def get(self, query: dict[str, int]) -> DeployList:
            """Deploys, the newest first: version, who, when, how long, and how it ended (null: under way)."""
            return DeployList(deploys=tuple(deploys.latest(query["limit"])))

    return routes
