"""The parts that the system stands on, each in one word and one line. Pure."""

from dataclasses import dataclass

from tripwire_admin_ui.api_answers import Metrics
from tripwire_admin_ui.system_state import SystemState
from tripwire_admin_ui.wording import number

BREAKER = {
    "closed": "requests may use the queue",
    "open": "Redis is left alone, tried again twice a second",
}
NOT_SAID = "the API did not say"
WAITING_UNKNOWN = "how many wait is not known"


@dataclass(frozen=True)
class Part:
    """`tone` is fine, warn, bad, off or unknown."""

    name: str
    word: str
    tone: str
    detail: str


def parts(state: SystemState) -> tuple[Part, ...]:
    metrics = state.metrics
    return (
        _postgresql(state),
        _up_or_down("Redis", metrics.redis if metrics else None, BREAKER.get((metrics and metrics.breaker) or "", "")),
        _workers(metrics),
        _telegram(metrics),
        _mail(metrics),
    )


def _postgresql(state: SystemState) -> Part:
    if state.database_down:
        return Part("PostgreSQL", "Down", "bad", "requests are refused with 503")
    return _up_or_down("PostgreSQL", state.metrics.postgresql if state.metrics else None, "")


def _up_or_down(name: str, word: str | None, detail: str) -> Part:
    if word == "up":
        return Part(name, "Up", "fine", detail or "answers")
    if word == "down":
        return Part(name, "Down", "bad", detail or "does not answer")
    return Part(name, "Unknown", "unknown", NOT_SAID)


def _workers(metrics: Metrics | None) -> Part:
    if metrics is None or metrics.workers is None:
        why = "counted in Redis, which is down" if metrics and metrics.redis == "down" else NOT_SAID
        return Part("Workers", "Unknown", "unknown", why)
    if metrics.workers == 0:
        return Part("Workers", "None", "bad", "nobody takes jobs from the queue")
    return Part("Workers", f"{number(metrics.workers)} running", "fine", "counted in Redis")


def _telegram(metrics: Metrics | None) -> Part:
    waiting = _waiting("alert", metrics.alerts_waiting if metrics else None)
    match metrics.telegram if metrics else None:
        case "ok":
            return Part("Telegram", "OK", "fine", waiting)
        case "failing":
            return Part("Telegram", "Failing", "warn", waiting)
        case "not_configured":
            detail = "Alerts reach nobody yet. Set TELEGRAM_BOT_TOKEN and TELEGRAM_ADMIN_CHAT_ID."
            return Part("Telegram", "Not configured", "off", detail)
    return Part("Telegram", "Unknown", "unknown", NOT_SAID)


def _mail(metrics: Metrics | None) -> Part:
    waiting = _waiting("mail", metrics.mails_waiting if metrics else None)
    match metrics.smtp if metrics else None:
        case "ok" | "up":
            return Part("Mail", "OK", "fine", waiting)
        case "failing" | "down":
            return Part("Mail", "Failing", "warn", waiting)
        case "not_configured":
            return Part("Mail", "Not configured", "off", "Mails are written to files. Set SMTP_URL to send them.")
    return Part("Mail", "Unknown", "unknown", NOT_SAID)


def _waiting(what: str, count: int | None) -> str:
    if count is None:
        return WAITING_UNKNOWN
    return f"{number(count)} {what}{'' if count == 1 else 's'} waiting"
