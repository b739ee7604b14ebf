"""What happened when, as the API tells of it (contract, section 6): history, availability, incidents, health log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tripwire_admin_ui.api.answer_fields import Document, UnreadableAnswer, listed, moment, needed, seconds, text, whole
from tripwire_admin_ui.api.client import ApiClient, Budget
from tripwire_admin_ui.api.system_calls import SYSTEM, Incident, read_incident


@dataclass(frozen=True)
class Bucket:
    """A span of time beginning `at`: provisioned by way, failed, and how long it took. Counts are None where nobody
    measured."""

    at: datetime
    queue: int | None
    direct: int | None
    fallback: int | None
    failed: int | None
    p50: float | None
    p95: float | None

    @property
    def measured(self) -> bool:
        return self.queue is not None


@dataclass(frozen=True)
class Outage:
    cause: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Switch:
    at: datetime
    mode: str
    by: str | None
    reason: str | None


@dataclass(frozen=True)
class History:
    """`to` is when it was read; the last bucket is still running."""

    window: str
    bucket_seconds: int
    begins: datetime
    ends: datetime
    buckets: tuple[Bucket, ...]
    outages: tuple[Outage, ...]
    switches: tuple[Switch, ...]

    @property
    def unmeasured(self) -> bool:
        """Whether there are gaps: the system was off, or not installed yet."""
        return not all(bucket.measured for bucket in self.buckets)


@dataclass(frozen=True)
class Availability:
    """The last 24 hours of each part, oldest bucket first: `up`, `partly`, `down`, or `unknown` (nobody measured)."""

    parts: Mapping[str, tuple[str, ...]]
    down_seconds: Mapping[str, float | None]
    outages: Mapping[str, int | None]


@dataclass(frozen=True)
class IncidentPage:
    incidents: tuple[Incident, ...]
    next_before: int | None


@dataclass(frozen=True)
class Deploy:
    """`outcome` is `done`, `rolled_back`, `failed` or `abandoned`; None while it is under way, like `seconds`."""

    version: str
    previous: str | None
    started_by: str
    started_at: datetime
    outcome: str | None
    reason: str | None
    seconds: float | None


@dataclass(frozen=True)
class HealthEvent:
    id: str
    event_type: str
    message: str
    metadata: Document
    created_at: datetime | None


@dataclass(frozen=True)
class EventPage:
    """`next_before` leads to older ones; None where there are none."""

    events: tuple[HealthEvent, ...]
    next_before: int | None


class HistoryApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def history(self, token: str, budget: Budget, window: str) -> History:
        return self._api.call("GET", f"{SYSTEM}/history", _history, budget, token, query={"window": window})

    def availability(self, token: str, budget: Budget) -> Availability:
        return self._api.call("GET", f"{SYSTEM}/availability", _availability, budget, token)

    def incidents(self, token: str, budget: Budget, limit: int, before: str = "") -> IncidentPage:
        query = {"limit": str(limit)} | ({"before": before} if before else {})
        return self._api.call("GET", f"{SYSTEM}/incidents", _incidents, budget, token, query=query)

    def deploys(self, token: str, budget: Budget, limit: int) -> tuple[Deploy, ...]:
        return self._api.call("GET", f"{SYSTEM}/deploys", _deploys, budget, token, query={"limit": str(limit)})

    def events(self, token: str, budget: Budget, query: Mapping[str, str]) -> EventPage:
        return self._api.call("GET", f"{SYSTEM}/logs", _events, budget, token, query=query)


def _history(document: Document) -> History:
    return History(
        window=needed(text, document, "window"),
        bucket_seconds=needed(whole, document, "bucket_seconds"),
        begins=needed(moment, document, "from"),
        ends=needed(moment, document, "to"),
        buckets=listed(_bucket, document, "buckets"),
        outages=listed(_outage, document, "outages"),
        switches=listed(_switch, document, "switches"),
    )


def _bucket(row: Document) -> Bucket:
    return Bucket(
        at=needed(moment, row, "at"),
        queue=whole(row, "async"),
        direct=whole(row, "sync"),
        fallback=whole(row, "fallback"),
        failed=whole(row, "failed"),
        p50=seconds(row, "p50"),
        p95=seconds(row, "p95"),
    )


def _outage(row: Document) -> Outage:
    return Outage(text(row, "cause") or "unknown", needed(moment, row, "started_at"), moment(row, "ended_at"))


def _switch(row: Document) -> Switch:
    return Switch(needed(moment, row, "at"), needed(text, row, "mode"), text(row, "by"), text(row, "reason"))


def _availability(document: Document) -> Availability:
    parts = document.get("parts")
    if not isinstance(parts, Mapping) or not all(isinstance(words, list) for words in parts.values()):
        raise UnreadableAnswer("parts")
    down, outages = document.get("down_seconds"), document.get("outages")
    down = down if isinstance(down, Mapping) else {}
    outages = outages if isinstance(outages, Mapping) else {}
    return Availability(
        parts={name: tuple(str(word) for word in words) for name, words in parts.items()},
        down_seconds={name: seconds(down, name) for name in parts},
        outages={name: whole(outages, name) for name in parts},
    )


def _incidents(document: Document) -> IncidentPage:
    return IncidentPage(listed(read_incident, document, "incidents"), whole(document, "next_before"))


def _deploys(document: Document) -> tuple[Deploy, ...]:
    return listed(_deploy, document, "deploys")


def _deploy(row: Document) -> Deploy:
    return Deploy(
        version=needed(text, row, "version"),
        previous=text(row, "previous"),
        started_by=needed(text, row, "started_by"),
        started_at=needed(moment, row, "started_at"),
        outcome=text(row, "outcome"),
        reason=text(row, "reason"),
        seconds=seconds(row, "seconds"),
    )


def _events(document: Document) -> EventPage:
    return EventPage(listed(_event, document, "logs"), whole(document, "next_before"))


def _event(row: Document) -> HealthEvent:
    metadata = row.get("metadata")
    return HealthEvent(
        id=str(row.get("id")),
        event_type=needed(text, row, "event_type"),
        message=text(row, "message") or "",
        metadata=metadata if isinstance(metadata, Mapping) else {},
        created_at=moment(row, "created_at"),
    )
