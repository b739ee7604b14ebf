"""The answers of System Health, described for the documentation."""

from marshmallow import Schema, fields, validate

STATES = ["ok", "failing", "not_configured"]


class IncidentSchema(Schema):
    id = fields.Integer(required=True)
    cause = fields.String(required=True)
    started_at = fields.String(required=True)
    ended_at = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)
    served_synchronously = fields.Integer(allow_none=True)
    slowest_seconds = fields.Float(allow_none=True)


class IncidentListSchema(Schema):
    incidents = fields.List(fields.Nested(IncidentSchema), required=True)
    next_before = fields.Integer(allow_none=True)


class DeploySchema(Schema):
    id = fields.Integer(required=True)
    version = fields.String(required=True)
    previous = fields.String(allow_none=True)
    started_by = fields.String(required=True)
    started_at = fields.String(required=True)
    finished_at = fields.String(allow_none=True)
    outcome = fields.String(allow_none=True, validate=validate.OneOf(["done", "rolled_back", "failed", "abandoned"]))
    reason = fields.String(allow_none=True)
    seconds = fields.Float(allow_none=True)


class DeployListSchema(Schema):
    deploys = fields.List(fields.Nested(DeploySchema), required=True)


class LastKnownSchema(Schema):
    value = fields.Integer(required=True)
    at = fields.String(required=True)


class HalfSchema(Schema):
    """Half are faster than this."""

    async_ = fields.Float(data_key="async", attribute="async", allow_none=True)
    sync = fields.Float(allow_none=True)


class StatesSchema(Schema):
    accepted = fields.Integer(required=True)
    provisioned = fields.Integer(required=True)
    duplicate = fields.Integer(required=True)
    failed = fields.Integer(required=True)


class FiguresSchema(Schema):
    """What cannot be counted is null, never 0."""

    redis = fields.String(required=True, validate=validate.OneOf(["up", "down"]))
    waiting = fields.Integer(allow_none=True)
    active = fields.Integer(allow_none=True)
    scheduled = fields.Integer(allow_none=True)
    completed = fields.Integer(allow_none=True)
    failed = fields.Integer(allow_none=True)
    workers = fields.Integer(allow_none=True)
    last_known = fields.Dict(keys=fields.String(), values=fields.Nested(LastKnownSchema))
    workers_seen_at = fields.String(allow_none=True)
    accepted_unfinished = fields.Integer(required=True)
    provisioned_24h = fields.Integer(required=True)
    failed_24h = fields.Integer(required=True)
    oldest_accepted_seconds = fields.Float(allow_none=True)
    states = fields.Nested(StatesSchema, required=True)
    p50_seconds = fields.Nested(HalfSchema, required=True)
    breaker = fields.String(required=True, validate=validate.OneOf(["open", "closed"]))
    incident = fields.Nested(IncidentSchema, allow_none=True)
    last_incident = fields.Nested(IncidentSchema, allow_none=True)
    telegram = fields.String(required=True, validate=validate.OneOf(STATES))
    telegram_detail = fields.String(allow_none=True)
    last_alert_sent_at = fields.String(allow_none=True)
    postgresql = fields.String(required=True, validate=validate.OneOf(["up", "down"]))
    postgresql_detail = fields.String(allow_none=True)
    smtp = fields.String(required=True, validate=validate.OneOf(STATES))
    mails_waiting = fields.Integer(required=True)
    mails_failed = fields.Integer(required=True)
    alerts_waiting = fields.Integer(required=True)
    customers = fields.Integer(required=True)
    staff_active = fields.Integer(required=True)
    tokens_ending_7d = fields.Integer(required=True)
    measured_at = fields.String(required=True)


class AvailabilitySchema(Schema):
    """`parts`: `up`, `partly`, `down`, or `unknown` where nobody measured."""

    bucket_seconds = fields.Integer(required=True)
    from_ = fields.String(required=True, data_key="from", attribute="from")
    parts = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    down_seconds = fields.Dict(keys=fields.String(), values=fields.Float())
    outages = fields.Dict(keys=fields.String(), values=fields.Integer())


class BucketSchema(Schema):
    """All null but `at` where nobody measured: the system was off, or not installed yet."""

    at = fields.String(required=True)
    async_ = fields.Integer(required=True, allow_none=True, data_key="async", attribute="async")
    sync = fields.Integer(required=True, allow_none=True)
    fallback = fields.Integer(required=True, allow_none=True)
    failed = fields.Integer(required=True, allow_none=True)
    p50 = fields.Float(allow_none=True)
    p95 = fields.Float(allow_none=True)


class OutageSchema(Schema):
    cause = fields.String(required=True)
    started_at = fields.String(required=True)
    ended_at = fields.String(allow_none=True)


class PastSwitchSchema(Schema):
    at = fields.String(required=True)
    mode = fields.String(required=True)
    by = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    version = fields.Integer(required=True)


class HistorySchema(Schema):
    window = fields.String(required=True)
    bucket_seconds = fields.Integer(required=True)
    from_ = fields.String(required=True, data_key="from", attribute="from")
    to = fields.String(required=True)
    buckets = fields.List(fields.Nested(BucketSchema), required=True)
    outages = fields.List(fields.Nested(OutageSchema), required=True)
    switches = fields.List(fields.Nested(PastSwitchSchema), required=True)
