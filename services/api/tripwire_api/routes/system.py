"""The system over HTTP (admin only): mode, metrics, health log, test alert."""

from datetime import UTC, datetime
from typing import Any

from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from tripwire_api.http.access import current_staff
from tripwire_api.http.body_rules import Blueprint
from tripwire_api.http.field_rules import QuerySchema, one_line_field
from tripwire_api.system_metrics import SystemMetrics
from tripwire_shared.alerts.alert import Alert, alert_text
from tripwire_shared.alerts.telegram import Telegram
from tripwire_shared.answers.system import LogPage, Metrics, ModeReport, Switched, TestAlert
from tripwire_shared.answers.vocabulary import EventType, Mode
from tripwire_shared.email_address import readable_email
from tripwire_shared.errors import Conflict
from tripwire_shared.events.health_log import HealthLog
from tripwire_shared.mode.mode_cache import ModeCache
from tripwire_shared.mode.mode_store import ModeStore

MODES = [mode.value for mode in Mode]


class SwitchSchema(Schema):
    class Meta:
        unknown = RAISE

    mode = fields.String(required=True, validate=validate.OneOf(MODES))
    reason = one_line_field(500, allow_none=True)
    version = fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 2**31 - 1))


class LogQuerySchema(QuerySchema):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    type = fields.String(validate=validate.OneOf([kind.value for kind in EventType]))
    q = fields.String(validate=validate.Length(max=200))
    before = fields.Integer(validate=validate.Range(1, 2**63 - 1))


class NotConfigured(Conflict):
    """Telegram is not configured: set TELEGRAM_BOT_TOKEN and TELEGRAM_ADMIN_CHAT_ID, then restart."""


def blueprint(
    mode_store: ModeStore, mode_cache: ModeCache, figures: SystemMetrics, health_log: HealthLog, telegram: Telegram
) -> Blueprint:
    routes = Blueprint("system", __name__, url_prefix="/api/admin/system", description="The system")

    @routes.route("/mode")
    class ModeItem(MethodView):
        @routes.answers(200, ModeReport)
        def get(self) -> ModeReport:
            """The mode, who set it, when and why, and which version each API process obeys."""
            record = mode_store.read()
            return ModeReport(
                mode=record.mode,
                version=record.version,
                changed_at=record.changed_at,
                changed_by=readable_email(record.changed_by or "") or None,
                reason=record.reason,
                processes=tuple(mode_store.receipts()),
            )

        @routes.arguments(SwitchSchema)
        @routes.answers(200, Switched)
        def post(self, wanted: dict[str, Any]) -> Switched:
            """The kill switch. With a `version` that is not the current one nothing is switched (409)."""
            admin = current_staff()
            switched = mode_store.switch(
                Mode(wanted["mode"]),
                reason=wanted.get("reason"),
                changed_by=admin.email,
                staff_id=admin.id,
                expected_version=wanted.get("version"),
            )
            # Here at once; every other process hears of it by its listener.
            mode_cache.store(mode_store.read())
            return switched

    @routes.route("/metrics")
    class MetricsItem(MethodView):
        @routes.answers(200, Metrics)
        def get(self) -> Metrics:
            """The figures of queue and database. What cannot be counted is null, never 0."""
            return figures.read()

    @routes.route("/logs")
    class Logs(MethodView):
        @routes.arguments(LogQuerySchema, location="query")
        @routes.answers(200, LogPage)
        def get(self, query: dict[str, Any]) -> LogPage:
            """Health events, newest first; `q`: part of the message."""
            kind = EventType(query["type"]) if "type" in query else None
            events = health_log.latest(query["limit"] + 1, kind, query.get("before"), query.get("q"))
            shown = events[: query["limit"]]
            return LogPage(logs=tuple(shown), next_before=shown[-1].id if len(events) > len(shown) else None)

    @routes.route("/alerts/test")
    class AlertTest(MethodView):
        @routes.answers(200, TestAlert)
        def post(self) -> TestAlert:
            """Sends a test alert and says what Telegram answered."""
            if not telegram.configured:
                raise NotConfigured
            by = {"sent_by": current_staff().email}
            verdict = telegram.send(alert_text(Alert("INFO", "Test alert: Telegram works", datetime.now(UTC), by)))
            return TestAlert(
                ok=verdict.ok,
                status=verdict.status,
                description=verdict.description,
                message_id=verdict.message_id,
            )

    return routes
