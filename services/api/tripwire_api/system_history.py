"""What happened when, over HTTP (admin only): charts, the parts' last day, and incidents."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask.views import MethodView
from marshmallow import fields, validate

from tripwire_api.body_rules import Blueprint
from tripwire_api.field_rules import QuerySchema
from tripwire_api.shapes import iso, iso_or_none
from tripwire_api.system_figures import incident_body
from tripwire_api.system_shapes import AvailabilitySchema, DeployListSchema, HistorySchema, IncidentListSchema
from tripwire_api.system_store import Bucket, SystemStore
from tripwire_shared.deploys.deploys import Deploy, Deploys
from tripwire_shared.incidents.incident_history import IncidentHistory, Outage
from tripwire_shared.mode.mode import PastSwitch
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


def blueprint(store: SystemStore, incidents: IncidentHistory, mode_store: ModeStore, deploys: Deploys) -> Blueprint:
    routes = Blueprint("system_history", __name__, url_prefix="/api/admin/system", description="The system")

    @routes.route("/history")
    class History(MethodView):
        @routes.arguments(WindowSchema, location="query")
        @routes.response(200, HistorySchema)
        def get(self, query: dict[str, str]) -> dict[str, Any]:
            """Customers provisioned and requests failed, bucket by bucket, with the outages and switches between. Null
            where nobody measured."""
            seconds, count = WINDOWS[query["window"]]
            buckets = store.history(seconds, count)
            since = buckets[0].at
            return {
                "window": query["window"],
                "bucket_seconds": seconds,
                "from": iso(since),
                "to": iso(datetime.now(UTC)),
                "buckets": [bucket_body(bucket) for bucket in buckets],
                "outages": [outage_body(outage) for outage in incidents.outages_since(since)],
                "switches": [switch_body(switch) for switch in mode_store.switches_since(since)],
            }

    @routes.route("/availability")
    class Availability(MethodView):
        @routes.response(200, AvailabilitySchema)
        def get(self) -> dict[str, Any]:
            """Each part's last day in half hours, from the incidents; `unknown` where nobody measured."""
            parts = incidents.availability(BAR_SECONDS, BARS)
            return {
                "bucket_seconds": BAR_SECONDS,
                "from": iso(parts[0].since),
                "parts": {part.part: part.words for part in parts},
                "down_seconds": {part.part: part.down_seconds for part in parts},
                "outages": {part.part: part.outages for part in parts},
            }

    @routes.route("/incidents")
    class Incidents(MethodView):
        @routes.arguments(IncidentQuerySchema, location="query")
        @routes.response(200, IncidentListSchema)
        def get(self, query: dict[str, Any]) -> dict[str, Any]:
            """Incidents: open ones first, then the newest."""
            shown, next_before = incidents.page(query["limit"], query.get("before"))
            return {"incidents": [incident_body(incident) for incident in shown], "next_before": next_before}

    @routes.route("/deploys")
    class DeployList(MethodView):
        @routes.arguments(DeployQuerySchema, location="query")
        @routes.response(200, DeployListSchema)
        def get(self, query: dict[str, int]) -> dict[str, Any]:
            """Deploys, the newest first: version, who, when, how long, and how it ended (null: under way)."""
            return {"deploys": [deploy_body(deploy) for deploy in deploys.latest(query["limit"])]}

    return routes


def deploy_body(deploy: Deploy) -> dict[str, Any]:
    times = {"started_at": iso(deploy.started_at), "finished_at": iso_or_none(deploy.finished_at)}
    return {**asdict(deploy), **times}


def bucket_body(bucket: Bucket) -> dict[str, Any]:
    counted = {"async": bucket.queued, "sync": bucket.direct, "fallback": bucket.fallback, "failed": bucket.failed}
    return {"at": iso(bucket.at), **counted, "p50": bucket.p50, "p95": bucket.p95}


def outage_body(outage: Outage) -> dict[str, Any]:
    return {**asdict(outage), "started_at": iso(outage.started_at), "ended_at": iso_or_none(outage.ended_at)}


def switch_body(switch: PastSwitch) -> dict[str, Any]:
    return {**asdict(switch), "at": iso(switch.at), "mode": switch.mode.value}
