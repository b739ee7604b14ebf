"""The system, as the API tells of it (contract, section 6): mode, figures, test alert."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tripwire_admin_ui.api.answer_fields import Document, listed, moment, needed, seconds, text, whole
from tripwire_admin_ui.api.client import ApiClient, Budget, Conflict
from tripwire_shared import timings

SYSTEM = "/api/admin/system"
IN_REDIS = ("waiting", "active", "scheduled", "completed", "failed", "workers")


class SwitchedMeanwhile(Conflict):
    """The mode has another version than the one that the page showed."""


@dataclass(frozen=True)
class ApiProcess:
    """One API process alive now, and the version of the mode that it obeys."""

    service: str
    host: str
    pid: int
    version: int
    applied_at: datetime | None


@dataclass(frozen=True)
class Mode:
    mode: str
    version: int
    changed_at: datetime | None
    changed_by: str | None
    reason: str | None
    processes: tuple[ApiProcess, ...]

    @property
    def confirmed(self) -> tuple[ApiProcess, ...]:
        return tuple(process for process in self.processes if process.version >= self.version)

    @property
    def behind(self) -> tuple[ApiProcess, ...]:
        return tuple(process for process in self.processes if process.version < self.version)


@dataclass(frozen=True)
class Incident:
    """An outage; open while `ended_at` is None."""

    id: int | None
    cause: str
    started_at: datetime | None
    ended_at: datetime | None
    detail: str | None
    served_directly: int | None
    slowest_seconds: float | None

    @property
    def lasted(self) -> float | None:
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at and self.started_at else None


@dataclass(frozen=True)
class LastKnown:
    """What a figure was when it could last be read."""

    value: int
    at: datetime


@dataclass(frozen=True)
class Metrics:
    """None is unknown, throughout; `incident` and `last_incident` are None also where there is none."""

    measured_at: datetime | None
    redis: str | None
    breaker: str | None
    postgresql: str | None
    telegram: str | None
    telegram_detail: str | None
    last_alert_sent_at: datetime | None
    smtp: str | None
    oldest_accepted_seconds: float | None
    incident: Incident | None
    last_incident: Incident | None
    counts: Mapping[str, int | None]
    states: Mapping[str, int | None]
    last_known: Mapping[str, LastKnown]
    p50_direct: float | None

    def count(self, name: str) -> int | None:
        """A figure by its name in the contract."""
        return self.counts.get(name)


@dataclass(frozen=True)
class SwitchAnswer:
    mode: str
    previous_mode: str
    version: int


@dataclass(frozen=True)
class TestAlert:
    """What Telegram answered; `status` is None where it did not answer at all."""

    __test__ = False  # no test, whatever pytest makes of the name

    ok: bool
    status: int | None
    description: str
    message_id: int | None


class SystemApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def mode(self, token: str, budget: Budget) -> Mode:
        return self._api.call("GET", f"{SYSTEM}/mode", read_mode, budget, token)

    def switch(self, token: str, mode: str, reason: str, version: int) -> SwitchAnswer:
        """Raises SwitchedMeanwhile where `version` is stale."""
        body = {"mode": mode, "version": version} | ({"reason": reason} if reason else {})
        try:
            return self._api.call("POST", f"{SYSTEM}/mode", _switch, Budget(), token, body=body)
        except Conflict as conflict:
            raise SwitchedMeanwhile(str(conflict)) from conflict

    def metrics(self, token: str, budget: Budget) -> Metrics:
        return self._api.call("GET", f"{SYSTEM}/metrics", read_metrics, budget, token)

    def test_alert(self, token: str) -> TestAlert:
        """Raises Conflict where Telegram is not configured."""
        budget = Budget(timings.UI_ALERT_BUDGET)
        return self._api.call("POST", f"{SYSTEM}/alerts/test", _test_alert, budget, token, body={})


def read_mode(document: Document) -> Mode:
    return Mode(
        mode=needed(text, document, "mode"),
        version=needed(whole, document, "version"),
        changed_at=moment(document, "changed_at"),
        changed_by=text(document, "changed_by"),
        reason=text(document, "reason"),
        processes=listed(_process, document, "processes"),
    )


def _process(row: Document) -> ApiProcess:
    return ApiProcess(
        service=text(row, "service") or "api",
        host=text(row, "host") or "unknown host",
        pid=needed(whole, row, "pid"),
        version=needed(whole, row, "version"),
        applied_at=moment(row, "applied_at"),
    )


def read_metrics(document: Document) -> Metrics:
    return Metrics(
        measured_at=moment(document, "measured_at"),
        redis=text(document, "redis"),
        breaker=text(document, "breaker"),
        postgresql=text(document, "postgresql"),
        telegram=text(document, "telegram"),
        telegram_detail=text(document, "telegram_detail"),
        last_alert_sent_at=moment(document, "last_alert_sent_at"),
        smtp=text(document, "smtp"),
        oldest_accepted_seconds=seconds(document, "oldest_accepted_seconds"),
        incident=_incident_or_none(document, "incident"),
        last_incident=_incident_or_none(document, "last_incident"),
        counts={name: whole(document, name) for name in document},
        states={name: whole(_part(document, "states"), name) for name in _part(document, "states")},
        last_known=_last_known(_part(document, "last_known")),
        p50_direct=seconds(_part(document, "p50_seconds"), "sync"),
    )


def _part(document: Document, name: str) -> Document:
    part = document.get(name)
    return part if isinstance(part, Mapping) else {}


def _last_known(document: Document) -> Mapping[str, LastKnown]:
    found = {}
    for name in document:
        value, at = whole(_part(document, name), "value"), moment(_part(document, name), "at")
        if value is not None and at is not None:
            found[name] = LastKnown(value, at)
    return found


def _incident_or_none(document: Document, name: str) -> Incident | None:
    row = document.get(name)
    return read_incident(row) if isinstance(row, Mapping) else None


def read_incident(row: Document) -> Incident:
    return Incident(
        id=whole(row, "id"),
        cause=text(row, "cause") or "unknown",
        started_at=moment(row, "started_at"),
        ended_at=moment(row, "ended_at"),
        detail=text(row, "detail"),
        served_directly=whole(row, "served_synchronously"),
        slowest_seconds=seconds(row, "slowest_seconds"),
    )


def _switch(document: Document) -> SwitchAnswer:
    return SwitchAnswer(
        mode=needed(text, document, "mode"),
        previous_mode=needed(text, document, "previous_mode"),
        version=needed(whole, document, "version"),
    )


def _test_alert(document: Document) -> TestAlert:
    return TestAlert(
        ok=document.get("ok") is True,
        status=whole(document, "status"),
        description=text(document, "description") or "",
        message_id=whole(document, "message_id"),
    )
