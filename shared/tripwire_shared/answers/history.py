"""What happened when (contract, section 6): buckets, availability, incidents, deploys."""

import msgspec

from tripwire_shared.answers.answer import Answer, Moment
from tripwire_shared.answers.vocabulary import DeployOutcome, Mode


class Bucket(Answer, frozen=True, kw_only=True):
    """A span of time that begins `at`: provisioned by mode, failed, and seconds from being accepted to being
    provisioned. Counts are null where nobody measured; times also where nobody was provisioned."""

    at: Moment
    queued: int | None = msgspec.field(name="async")
    direct: int | None = msgspec.field(name="sync")
    fallback: int | None
    failed: int | None
    p50: float | None
    p95: float | None

    @property
    def measured(self) -> bool:
        return self.queued is not None


class Outage(Answer, frozen=True, kw_only=True):
    cause: str
    started_at: Moment
    ended_at: Moment | None


class PastSwitch(Answer, frozen=True, kw_only=True):
    """A switch that happened: to this mode, by whom and why."""

    at: Moment
    mode: Mode
    by: str | None
    reason: str | None
    version: int


class History(Answer, frozen=True, kw_only=True):
    """`ends` is when it was read; the last bucket is still running."""

    window: str
    bucket_seconds: int
    begins: Moment = msgspec.field(name="from")
    ends: Moment = msgspec.field(name="to")
    buckets: tuple[Bucket, ...]
    outages: tuple[Outage, ...]
    switches: tuple[PastSwitch, ...]

    @property
    def unmeasured(self) -> bool:
        """Whether there are gaps: the system was off, or not installed yet."""
        return not all(bucket.measured for bucket in self.buckets)


class Availability(Answer, frozen=True, kw_only=True):
    """The last 24 hours of each part, oldest bucket first: `up`, `partly`, `down`, or `unknown` (nobody measured)."""

    bucket_seconds: int
    begins: Moment = msgspec.field(name="from")
    parts: dict[str, tuple[str, ...]]
    down_seconds: dict[str, float]
    outages: dict[str, int]


class Incident(Answer, frozen=True, kw_only=True):
    """An outage; open while `ended_at` is null. `served_synchronously` and `slowest_seconds`: of the creates that were
    answered while the queue was away; null where the cause has no such figure."""

    id: int
    cause: str
    started_at: Moment
    ended_at: Moment | None
    detail: str | None
    served_synchronously: int | None
    slowest_seconds: float | None

    @property
    def duration(self) -> float | None:
        """Seconds; None while it is open."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


class IncidentPage(Answer, frozen=True, kw_only=True):
    """Open ones first, then the newest."""

    incidents: tuple[Incident, ...]
    next_before: int | None


class Deploy(Answer, frozen=True, kw_only=True):
    """`previous` is null at the first one; `outcome`, `finished_at` and `seconds` are null while it is under way."""

    id: int
    version: str
    previous: str | None
    started_by: str
    started_at: Moment
    finished_at: Moment | None
    outcome: DeployOutcome | None
    reason: str | None
    seconds: float | None


class DeployList(Answer, frozen=True, kw_only=True):
    deploys: tuple[Deploy, ...]
