"""What the API answers (contract, sections 3 to 6), read from JSON once and then typed. Pure.

A figure that is null or absent is None: unknown. It never becomes 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")
Document = Mapping[str, Any]


class UnreadableAnswer(ValueError):
    """A field that the page cannot do without is missing or of another kind."""


def whole(document: Document, name: str) -> int | None:
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def seconds(document: Document, name: str) -> float | None:
    value = document.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def text(document: Document, name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) and value else None


def moment(document: Document, name: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(text(document, name) or "")
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def needed(read: Callable[[Document, str], T | None], document: Document, name: str) -> T:
    value = read(document, name)
    if value is None:
        raise UnreadableAnswer(name)
    return value


def listed(read: Callable[[Document], T], document: Document, name: str) -> tuple[T, ...]:
    rows = document.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise UnreadableAnswer(name)
    return tuple(read(row) for row in rows)


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

    @property
    def last_receipt_after(self) -> float | None:
        """Seconds from the switch to the last receipt; None where a process is behind or began later than it."""
        receipts = [process.applied_at for process in self.processes if process.applied_at]
        if not receipts or self.behind or self.changed_at is None:
            return None
        after = (max(receipts) - self.changed_at).total_seconds()
        return after if 0 <= after < 120 else None  # later: a process that was started since, no receipt of the switch


@dataclass(frozen=True)
class Incident:
    """An outage that is open."""

    cause: str | None
    started_at: datetime | None
    served_directly: int | None


@dataclass(frozen=True)
class Metrics:
    measured_at: datetime | None
    redis: str | None
    waiting: int | None
    active: int | None
    scheduled: int | None
    completed: int | None
    failed: int | None
    workers: int | None
    accepted_unfinished: int | None
    provisioned_24h: int | None
    failed_24h: int | None
    oldest_accepted_seconds: float | None
    breaker: str | None
    incident: Incident | None
    telegram: str | None
    postgresql: str | None
    smtp: str | None
    mails_waiting: int | None
    alerts_waiting: int | None


@dataclass(frozen=True)
class HealthEvent:
    id: str
    event_type: str
    message: str
    metadata: Document
    created_at: datetime | None


@dataclass(frozen=True)
class RequestRow:
    request_id: str
    email: str
    status: str
    mode: str | None
    accepted_at: datetime | None


@dataclass(frozen=True)
class RequestList:
    requests: tuple[RequestRow, ...]
    total: int | None


@dataclass(frozen=True)
class SwitchAnswer:
    mode: str
    previous_mode: str
    version: int


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
    incident = document.get("incident")
    return Metrics(
        measured_at=moment(document, "measured_at"),
        redis=text(document, "redis"),
        waiting=whole(document, "waiting"),
        active=whole(document, "active"),
        scheduled=whole(document, "scheduled"),
        completed=whole(document, "completed"),
        failed=whole(document, "failed"),
        workers=whole(document, "workers"),
        accepted_unfinished=whole(document, "accepted_unfinished"),
        provisioned_24h=whole(document, "provisioned_24h"),
        failed_24h=whole(document, "failed_24h"),
        oldest_accepted_seconds=seconds(document, "oldest_accepted_seconds"),
        breaker=text(document, "breaker"),
        incident=_incident(incident) if isinstance(incident, Mapping) else None,
        telegram=text(document, "telegram"),
        postgresql=text(document, "postgresql"),
        smtp=text(document, "smtp"),
        mails_waiting=whole(document, "mails_waiting"),
        alerts_waiting=whole(document, "alerts_waiting"),
    )


def _incident(row: Document) -> Incident:
    return Incident(
        cause=text(row, "cause"),
        started_at=moment(row, "started_at"),
        served_directly=whole(row, "served_synchronously"),
    )


def read_events(document: Document) -> tuple[HealthEvent, ...]:
    return listed(_event, document, "logs")


def _event(row: Document) -> HealthEvent:
    metadata = row.get("metadata")
    return HealthEvent(
        id=str(row.get("id")),
        event_type=needed(text, row, "event_type"),
        message=text(row, "message") or "",
        metadata=metadata if isinstance(metadata, Mapping) else {},
        created_at=moment(row, "created_at"),
    )


def read_requests(document: Document) -> RequestList:
    return RequestList(requests=listed(_request, document, "requests"), total=whole(document, "total"))


def _request(row: Document) -> RequestRow:
    return RequestRow(
        request_id=needed(text, row, "request_id"),
        email=text(row, "email") or "",
        status=needed(text, row, "status"),
        mode=text(row, "mode"),
        accepted_at=moment(row, "accepted_at"),
    )


def read_switch(document: Document) -> SwitchAnswer:
    return SwitchAnswer(
        mode=needed(text, document, "mode"),
        previous_mode=needed(text, document, "previous_mode"),
        version=needed(whole, document, "version"),
    )
