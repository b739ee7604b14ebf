"""The system (contract, section 6): mode, metrics, health log, test alert."""

from typing import Any

import msgspec

from tripwire_shared.answers.answer import Answer, Moment
from tripwire_shared.answers.history import Incident
from tripwire_shared.answers.vocabulary import BreakerState, ChannelState, EventType, Mode, RequestStatus, ServerState

# The fields of Metrics that Redis counts.
COUNTED_IN_REDIS = ("waiting", "active", "scheduled", "completed", "failed", "workers")


class ApiProcess(Answer, frozen=True, kw_only=True):
    """One API process alive now, and the version of the mode that it obeys, and since when."""

    service: str
    host: str
    pid: int
    version: int
    applied_at: Moment


class ModeReport(Answer, frozen=True, kw_only=True):
    mode: Mode
    version: int
    changed_at: Moment
    changed_by: str | None
    reason: str | None
    processes: tuple[ApiProcess, ...]

    @property
    def confirmed(self) -> tuple[ApiProcess, ...]:
        return tuple(process for process in self.processes if process.version >= self.version)

    @property
    def behind(self) -> tuple[ApiProcess, ...]:
        return tuple(process for process in self.processes if process.version < self.version)


class Switched(Answer, frozen=True, kw_only=True):
    success: bool
    mode: Mode
    previous_mode: Mode
    version: int


class LastKnown(Answer, frozen=True, kw_only=True):
    """What a figure was when it could last be read."""

    value: int
    at: Moment


class MedianSeconds(Answer, frozen=True, kw_only=True):
    """Of the last hour, from being accepted to being provisioned; None where there were none."""

    queued: float | None = msgspec.field(name="async")
    direct: float | None = msgspec.field(name="sync")


class Metrics(Answer, frozen=True, kw_only=True):
    """What cannot be counted is null, never 0. `incident` and `last_incident` are null where there is none."""

    redis: ServerState
    waiting: int | None
    active: int | None
    scheduled: int | None
    completed: int | None
    failed: int | None
    workers: int | None
    last_known: dict[str, LastKnown]
    workers_seen_at: Moment | None
    accepted_unfinished: int
    provisioned_24h: int
    failed_24h: int
    oldest_accepted_seconds: float | None
    states: dict[RequestStatus, int]
    p50_seconds: MedianSeconds
    breaker: BreakerState
    incident: Incident | None
    last_incident: Incident | None
    telegram: ChannelState
    telegram_detail: str | None
    last_alert_sent_at: Moment | None
    postgresql: ServerState
    postgresql_detail: str | None
    smtp: ChannelState
    mails_waiting: int
    mails_failed: int
    alerts_waiting: int
    customers: int
    staff_active: int
    tokens_ending_7d: int
    measured_at: Moment


class HealthEvent(Answer, frozen=True, kw_only=True):
    id: int
    event_type: EventType
    message: str
    metadata: dict[str, Any]
    created_at: Moment


class LogPage(Answer, frozen=True, kw_only=True):
    """Newest first; `next_before` leads to older ones, None where there are none."""

    logs: tuple[HealthEvent, ...]
    next_before: int | None


class TestAlert(Answer, frozen=True, kw_only=True):
    """What Telegram answered; `status` is null where it did not answer at all."""

    __test__ = False  # no test, whatever pytest makes of the name

    ok: bool
    status: int | None
    description: str
    message_id: int | None
