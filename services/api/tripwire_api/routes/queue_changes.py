"""What admins do to the queue past this API, with rq-dashboard: the admin UI writes it down here before it is done."""

from typing import Any

from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from tripwire_api.http.access import current_staff
from tripwire_api.http.body_rules import Blueprint
from tripwire_api.http.field_rules import one_line_field
from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.answers.activity import Noted
from tripwire_shared.postgres.database import Database

CHANGES = ("requeue", "requeue all", "delete", "empty", "compact")


class QueueDetailSchema(Schema):
    """Which queue, which of its lists, which job: as far as it concerns one."""

    class Meta:
        unknown = RAISE

    queue = one_line_field(200)
    registry = one_line_field(200)
    job = one_line_field(200)


class QueueChangeSchema(Schema):
    class Meta:
        unknown = RAISE

    what = fields.String(required=True, validate=validate.OneOf(CHANGES))
    detail = fields.Nested(QueueDetailSchema, load_default=dict)


def blueprint(database: Database, activity: ActivityLog) -> Blueprint:
    routes = Blueprint(
        "queue_changes", __name__, url_prefix="/api/admin/tripwire/activity", description="Sales and activity"
    )

    @routes.route("/queue")
    class QueueChanges(MethodView):
        @routes.arguments(QueueChangeSchema)
        @routes.answers(201, Noted)
        def post(self, change: dict[str, Any]) -> Noted:
            """Notes that the caller is about to change something in Redis itself (admin)."""
            detail = {"what": change["what"], **change["detail"]}
            with database.transaction() as connection:
                activity.write(connection, Action.QUEUE_CHANGED, current_staff().id, detail=detail)
            return Noted(success=True)

    return routes
