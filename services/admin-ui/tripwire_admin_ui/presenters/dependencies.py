"""What the system stands on: each in one word, its last 24 hours and one line. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tripwire_admin_ui.presenters.formatting import duration, number
from tripwire_admin_ui.presenters.sentence import Sentence
from tripwire_admin_ui.presenters.status_bars import StatusBars, status_bars
from tripwire_admin_ui.presenters.system_state import SystemState
from tripwire_shared.answers.history import Availability
from tripwire_shared.answers.system import Metrics

BREAKER = {
    "closed": "circuit closed (normal)",  # requests may use the queue
    "open": "circuit open, next try within 0.5 s",
}
HALF_HOUR = 1800.0  # seconds
NO_OUTAGE = "no outage in 24 h"
NOT_MEASURED = "not measured in 24 h"
NOT_SAID = "the API did not say"


@dataclass(frozen=True)
class Dependency:
    """`tone` is fine, warn, bad, off or unknown. `bars` is None where the last 24 hours are not known."""

    key: str
    name: str
    word: str
    tone: str
    detail: Sentence = ()
    bars: StatusBars | None = None
    outages: str = ""

    @property
    def had_outage(self) -> bool:
        return bool(self.outages) and not self.outages.startswith((NO_OUTAGE, NOT_MEASURED))


def dependencies(state: SystemState, availability: Availability | None = None) -> tuple[Dependency, ...]:
    now = (_postgresql(state), _redis(state), _workers(state.metrics), _telegram(state.metrics), _mail(state.metrics))
    return tuple(_with_past(part, availability) for part in now)


def _with_past(part: Dependency, availability: Availability | None) -> Dependency:
    words = availability.parts.get(part.key) if availability else None
    if availability is None or not words:
        return part
    count, seconds = availability.outages.get(part.key), availability.down_seconds.get(part.key)
    return replace(part, bars=status_bars(words), outages=_outages(count, seconds, words))


def _outages(count: int | None, seconds: float | None, words: Sequence[str]) -> str:
    """How many, and of how many hours that is known where it is not all 24."""
    known = sum(word != "unknown" for word in words)
    if not known:
        return NOT_MEASURED
    if count is None:
        return ""
    measured = f" ({known * HALF_HOUR / 3600:g} h measured)" if known < len(words) else ""
    if count == 0:
        return NO_OUTAGE + measured
    lasted = f", {duration(seconds)}" if seconds is not None else ""
    return f"{number(count)} {'outage' if count == 1 else 'outages'} in 24 h{measured}{lasted}"


def _postgresql(state: SystemState) -> Dependency:
    part = Dependency("postgresql", "PostgreSQL", "Unknown", "unknown", (NOT_SAID,))
    if state.database_down:
        return replace(part, word="Down", tone="bad", detail=("requests are refused with 503",))
    if state.metrics and state.metrics.postgresql == "up":
        return replace(part, word="Up", tone="fine", detail=())
    return part


def _redis(state: SystemState) -> Dependency:
    part = Dependency("redis", "Redis", "Unknown", "unknown", (NOT_SAID,))
    metrics = state.metrics
    if metrics is None:
        return part
    detail: Sentence = (BREAKER[metrics.breaker],)
    if metrics.redis == "up":
        return replace(part, word="Up", tone="fine", detail=detail)
    incident = metrics.incident
    if incident and incident.cause == "queue unavailable":
        detail = ("does not answer since ", incident.started_at, " · ", *detail)
    return replace(part, word="Down", tone="bad", detail=detail)


def _workers(metrics: Metrics | None) -> Dependency:
    part = Dependency("workers", "Workers", "Unknown", "unknown", (NOT_SAID,))
    workers = metrics.workers if metrics else None
    if workers is None:
        was = metrics.last_known.get("workers") if metrics else None
        if was:
            return replace(part, detail=(f"counted in Redis, last known {number(was.value)} at ", was.at))
        down = metrics is not None and metrics.redis == "down"
        return replace(part, detail=("counted in Redis, which is down",)) if down else part
    if workers == 0:
        return replace(part, word="None", tone="bad", detail=("nobody takes jobs from the queue",))
    return replace(part, word=f"{number(workers)} running", tone="fine", detail=())


def _telegram(metrics: Metrics | None) -> Dependency:
    part = Dependency("telegram", "Telegram", "Unknown", "unknown", (NOT_SAID,))
    if metrics is None:
        return part
    waiting = _waiting("alert", metrics.alerts_waiting)
    match metrics.telegram:
        case "ok":
            sent: Sentence = ("last alert delivered ", metrics.last_alert_sent_at) if metrics.last_alert_sent_at else ()
            return replace(part, word="OK", tone="fine", detail=sent or (waiting,))
        case "failing":
            return replace(part, word="Failing", tone="warn", detail=(waiting,))
        case "not_configured":
            return replace(part, word="Not configured", tone="off", detail=("alerts reach nobody yet",))
    return part


def _mail(metrics: Metrics | None) -> Dependency:
    part = Dependency("mail", "Mail", "Unknown", "unknown", (NOT_SAID,))
    if metrics is None:
        return part
    waiting = _waiting("mail", metrics.mails_waiting)
    match metrics.smtp:
        case "ok":
            return replace(part, word="OK", tone="fine", detail=(waiting,))
        case "failing":
            return replace(part, word="Failing", tone="warn", detail=(waiting,))
        case "not_configured":
            return replace(part, word="Not configured", tone="off", detail=("written to files; SMTP_URL sends them",))
    return part


def _waiting(what: str, count: int | None) -> str:
    if count is None:
        return "how many wait is not known"
    return f"{number(count)} {what}{'' if count == 1 else 's'} waiting"


def share_up(availability: Availability | None, key: str) -> str | None:
    """`99.8 %` of the time of which something is known; None where nothing is. Never rounded up to 100."""
    words = availability.parts.get(key, ()) if availability else ()
    down = availability.down_seconds.get(key) if availability else None
    known = sum(word != "unknown" for word in words) * HALF_HOUR
    if not known or down is None:
        return None
    up = max(0.0, 1 - down / known)
    return "100 %" if down == 0 else f"{min(99.9, up * 100):.1f} %"
