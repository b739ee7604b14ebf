"""What happened to one request, step by step and in plain words, with what comes next. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tripwire_admin_ui.presenters.failure_reasons import Reason, reason
from tripwire_admin_ui.presenters.formatting import duration
from tripwire_shared.answers.requests import RequestItem, Step
from tripwire_shared.answers.vocabulary import Check, Door, MailStatus, RequestMode, RequestStatus
from tripwire_shared.timings import DAY, MAIL_BACKOFF, REQUEST_DETAILS_KEPT

Steps = tuple[Step, ...]
Facts = Mapping[str, Any]
CHECKS = {
    Check.LIVE_REQUEST: "No other request with this email",
    Check.AUTH_USER: "No sign-in account with this email",
    Check.CUSTOMER: "No customer with this email",
}
DOORS = {
    Door.QUEUE: "A worker took it from the queue.",
    Door.DIRECT: "Created inside the API, without the queue.",
    Door.SWEEP: "The recovery sweep found it in the database.",
}
REFUSALS = {
    Check.AUTH_USER: "There is a sign-in account with this email.",
    Check.CUSTOMER: "There is a customer with this email.",
}
MAIL_RHYTHM = "Tried after 5 s, 15 s, 60 s, 5 min, then every 15 min for 24 h."


@dataclass(frozen=True)
class Entry:
    """`after` is the time since the entry before. `tone` is info, fine, warn, bad or off. `due`: still to come."""

    headline: str
    tone: str
    icon: str
    at: datetime | None = None
    after: float | None = None
    words: str = ""
    reason: Reason | None = None
    checks: tuple[str, ...] = ()
    due: datetime | None = None


def timeline(found: RequestItem, now: datetime) -> tuple[Entry, ...]:
    """Oldest first; at the end, dotted, what is still to come."""
    steps = tuple(found.steps or ())
    entries = [_entry(found, steps, place) for place in range(len(steps)) if not _is_told_later(steps, place)]
    entries[1:1] = [MODES[found.mode]]
    if not steps and found.finished:
        entries.append(REMOVED)
    return (*_with_pauses(entries), *_to_come(found, steps, now))


def _is_told_later(steps: Steps, place: int) -> bool:
    """The start of an attempt that failed: the entry of its failure says it all."""
    following = steps[place + 1].step if place + 1 < len(steps) else ""
    by_sweep = _facts(steps[place]).get("door") == Door.SWEEP
    return steps[place].step == "attempt_started" and following in ("attempt_failed", "failed") and not by_sweep


def _facts(step: Step) -> Facts:
    return step.detail or {}


def _entry(found: RequestItem, steps: Steps, place: int) -> Entry:
    step, facts = steps[place], _facts(steps[place])
    if step.step == "accepted":
        words = f"From {found.manager.email}. It is stored, so it cannot be lost."
        return Entry("Accepted", "info", "list", step.at, words=words)
    if step.step == "attempt_started":
        return _started(steps, place)
    told = TOLD.get(step.step)
    known = told(facts) if told else _unknown(step.step, facts)
    return replace(known, at=step.at)


def _unknown(name: str, facts: Facts) -> Entry:
    """Of a newer API, or of steps of before their details were data."""
    return Entry(name.replace("_", " ").capitalize(), "off", "circle-i", words=_text(facts))


def _text(facts: Facts) -> str:
    return str(facts.get("text") or "")


FALLBACK = "Redis did not take the job, so the API created the customer itself."
REMOVED = Entry(
    "The timeline has been removed",
    "off",
    "circle-i",
    words=f"Steps are kept for {REQUEST_DETAILS_KEPT / DAY:.0f} days after the end of a request.",
)
# How it was processed: the API writes no step for it, which would cost each request a statement.
MODES = {
    RequestMode.ASYNC: Entry("Queued", "info", "queue", words="Redis took the job."),
    RequestMode.SYNC: Entry(
        "Created directly", "info", "arrows", words="Direct mode was on, or the queue was not needed."
    ),
    RequestMode.FALLBACK: Entry("Queue failed, created directly", "warn", "arrows", words=FALLBACK),
}


def _attempt(facts: Facts) -> str:
    return f"Attempt {facts['attempt']}" + (f" of {facts['of']}" if "of" in facts else "")


def _started(steps: Steps, place: int) -> Entry:
    step, facts = steps[place], _facts(steps[place])
    following = steps[place + 1] if place + 1 < len(steps) else None
    passed = _facts(following).get("checks", ()) if following and following.step == "provisioned" else ()
    checks = tuple(CHECKS[check] for check in passed if check in CHECKS)
    if "attempt" not in facts:
        return Entry("Attempt started", "info", "retry", step.at, words=_text(facts), checks=checks)
    words = DOORS.get(facts.get("door", ""), "")
    if checks:
        words += " Checked first, so that no duplicates are created:"
    by_sweep = facts.get("door") == Door.SWEEP
    attempt = _attempt(facts)
    title = f"Picked up by the recovery sweep, {attempt.lower()}" if by_sweep else f"{attempt} started"
    tone = "warn" if facts["attempt"] > 1 else "info"
    return Entry(title, tone, "retry", step.at, words=words, checks=checks)


def _failed_attempt(facts: Facts) -> Entry:
    title = f"{_attempt(facts)} failed" if "attempt" in facts else "Attempt failed"
    return Entry(title, "bad", "cross", reason=reason(facts, last=False))


def _gave_up(facts: Facts) -> Entry:
    tries = facts.get("attempt")
    after = f" after {tries} attempt{'' if tries == 1 else 's'}" if tries else ""
    return Entry(f"Failed{after}", "bad", "cross", reason=reason(facts, last=True))


def _retried(facts: Facts) -> Entry:
    by = f" by {facts['by']}" if facts.get("by") else ""
    return Entry(f"Retried{by}", "info", "retry", words="All attempts are there anew.")


def _duplicate(facts: Facts) -> Entry:
    words = REFUSALS.get(facts.get("cause", ""), _text(facts))
    return Entry("Already a customer, nothing created", "warn", "triangle", words=words)


def _failed_mail(facts: Facts) -> Entry:
    title = "Welcome email failed" + (f", try {facts['try']}" if "try" in facts else "")
    return Entry(title, "warn", "mail", words=_text(facts))


def _provisioned(_: Facts) -> Entry:
    words = "Sign-in account, customer, sale and welcome email saved together."
    return Entry("Provisioned", "fine", "check", words=words)


TOLD: Mapping[str, Callable[[Facts], Entry]] = {
    "attempt_failed": _failed_attempt,
    "failed": _gave_up,
    "retried": _retried,
    "provisioned": _provisioned,
    "duplicate": _duplicate,
    "mail_sent": lambda _: Entry("Welcome email sent", "fine", "mail"),
    "mail_failed": _failed_mail,
    "mail_given_up": lambda facts: Entry("Welcome email given up", "bad", "mail", words=_text(facts)),
}


def _with_pauses(entries: list[Entry]) -> list[Entry]:
    """Each entry with the time since the last one before it whose moment is known."""
    told: list[Entry] = []
    before: datetime | None = None
    for entry in entries:
        after = (entry.at - before).total_seconds() if entry.at and before else None
        told.append(replace(entry, after=after))
        before = entry.at or before
    return told


def _to_come(found: RequestItem, steps: Steps, now: datetime) -> list[Entry]:
    last = steps[-1] if steps else None
    if not found.finished:
        return [_next_attempt(found, last, now)]
    if found.status is not RequestStatus.PROVISIONED or found.welcome_email is not MailStatus.PENDING or last is None:
        return []
    tries = _facts(last).get("try") if last.step == "mail_failed" else None
    if tries is None:
        return [Entry("Welcome email waits", "off", "clock", words="It is sent within moments.")]
    pause = MAIL_BACKOFF[min(tries, len(MAIL_BACKOFF)) - 1]
    due = last.at + timedelta(seconds=pause)
    return [Entry(f"Welcome email waits for try {tries + 1}", "off", "clock", words=MAIL_RHYTHM, due=due)]


def _next_attempt(found: RequestItem, last: Step | None, now: datetime) -> Entry:
    if last and last.step == "attempt_started":
        words = f"For {duration(max(0.0, (now - last.at).total_seconds()))} so far."
        return Entry("In progress", "off", "clock", words=words)
    title = f"Attempt {found.attempts + 1} of {found.max_attempts}"
    late = found.due_at is not None and found.due_at <= now
    words = "Any moment now." if late or found.due_at is None else ""
    return Entry(title, "off", "clock", words=words, due=None if late else found.due_at)
