"""What happened to one request, step by step and in plain words, with what comes next. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tripwire_admin_ui.api.request_calls import RequestItem, Step
from tripwire_admin_ui.presenters.failure_reasons import Reason, reason
from tripwire_admin_ui.presenters.formatting import duration
from tripwire_shared.timings import DAY, MAIL_BACKOFF, REQUEST_DETAILS_KEPT

CHECKS = {
    "not provisioned recently": "Not created moments ago by another request",
    "no auth user before": "No sign-in account with this e-mail",
    "no customer before": "No customer with this e-mail",
}
ATTEMPT = re.compile(r"attempt (\d+) of (\d+), (.+)")
MAIL_TRY = re.compile(r"try (\d+): (.+)", re.DOTALL)
DOORS = {
    "taken from the queue": "A worker took it from the queue.",
    "created directly": "Created inside the API, without the queue.",
    "taken up by the sweep": "The sweep found it in the database and took it up.",
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
    entries = [_entry(found, position) for position in range(len(found.steps)) if not _is_told_later(found, position)]
    if not any(step.step in ("queued", "queue_failed") for step in found.steps):
        entries[1:1] = _way_taken(found)
    if not found.steps and not found.under_way:
        entries.append(REMOVED)
    return (*_with_pauses(entries), *_to_come(found, now))


def _is_told_later(found: RequestItem, position: int) -> bool:
    """The start of an attempt that failed: the entry of its failure says it all."""
    following = found.steps[position + 1].step if position + 1 < len(found.steps) else ""
    swept = "sweep" in (found.steps[position].detail or "")
    return found.steps[position].step == "attempt_started" and following in ("attempt_failed", "failed") and not swept


def _entry(found: RequestItem, position: int) -> Entry:
    step = found.steps[position]
    match step.step:
        case "attempt_started":
            return _started(found, position)
        case "attempt_failed":
            return _failed_attempt(found, position)
        case "failed":
            return Entry(_gave_up(found, position), "bad", "cross", step.at, reason=reason(step.detail, last=True))
        case "retried":
            headline = f"Retried {step.detail or ''}".rstrip()
            return Entry(headline, "info", "retry", step.at, words="All attempts are there anew.")
        case "mail_failed":
            return _failed_mail(step)
    known = KNOWN.get(step.step, Entry(step.step.replace("_", " ").capitalize(), "off", "circle-i"))
    return replace(known, at=step.at, words=known.words or _words(found, step))


def _words(found: RequestItem, step: Step) -> str:
    if step.step == "accepted":
        who = found.manager.email if found.manager else "somebody"
        return f"From {who}. It is stored, so it cannot be lost."
    return step.detail or ""


FALLBACK = "Redis did not take the job, so the API created the customer itself."
IN_QUEUE = Entry("Put into the queue", "info", "queue", words="Redis took the job.")
QUEUE_FAILED = Entry("Queue failed, created directly", "warn", "arrows", words=FALLBACK)
KNOWN = {
    "accepted": Entry("Accepted", "info", "list"),
    "queued": IN_QUEUE,
    "queue_failed": QUEUE_FAILED,
    "provisioned": Entry(
        "Provisioned", "fine", "check", words="Sign-in account, customer, sale and welcome mail saved together."
    ),
    "duplicate": Entry("Already a customer, nothing created", "warn", "triangle"),
    "mail_sent": Entry("Welcome mail sent", "fine", "mail"),
    "mail_given_up": Entry("Welcome mail given up", "bad", "mail"),
}
REMOVED = Entry(
    "What happened has been removed",
    "off",
    "circle-i",
    words=f"Steps are kept for {REQUEST_DETAILS_KEPT / DAY:.0f} days after the end of a request.",
)
WAYS = {
    "async": IN_QUEUE,
    "sync": Entry("Created directly", "info", "arrows", words="Direct mode was on, or the queue was not needed."),
    "fallback": QUEUE_FAILED,
}


def _way_taken(found: RequestItem) -> list[Entry]:
    """The API writes no step for it: that would cost each request a statement."""
    return [WAYS[found.mode]] if found.mode in WAYS else []


def _attempt(step: Step) -> tuple[int, int, str] | None:
    match = ATTEMPT.fullmatch(step.detail or "")
    return (int(match[1]), int(match[2]), match[3]) if match else None


def _started(found: RequestItem, position: int) -> Entry:
    step = found.steps[position]
    attempt = _attempt(step)
    following = found.steps[position + 1] if position + 1 < len(found.steps) else None
    checks = _checks(following) if following and following.step == "provisioned" else ()
    if attempt is None:
        return Entry("Attempt started", "info", "retry", step.at, words=step.detail or "", checks=checks)
    number, of, door = attempt
    words = DOORS.get(door, door)
    if checks:
        words += " Checked first, so that nobody is created twice:"
    swept = "sweep" in door
    title = f"Taken up by the sweep, attempt {number} of {of}" if swept else f"Attempt {number} of {of} started"
    return Entry(title, "warn" if number > 1 else "info", "retry", step.at, words=words, checks=checks)


def _checks(provisioned: Step) -> tuple[str, ...]:
    done = (provisioned.detail or "").rstrip(".").lower().split(", ")
    return tuple(CHECKS[word] for word in done if word in CHECKS)


def _failed_attempt(found: RequestItem, position: int) -> Entry:
    step = found.steps[position]
    attempt = next((_attempt(one) for one in reversed(found.steps[:position]) if one.step == "attempt_started"), None)
    title = f"Attempt {attempt[0]} of {attempt[1]} failed" if attempt else "Attempt failed"
    return Entry(title, "bad", "cross", step.at, reason=reason(step.detail, last=False))


def _gave_up(found: RequestItem, position: int) -> str:
    attempt = next((_attempt(one) for one in reversed(found.steps[:position]) if one.step == "attempt_started"), None)
    if attempt is None:
        return "Gave up"
    return f"Gave up after {attempt[0]} attempt{'' if attempt[0] == 1 else 's'}"


def _failed_mail(step: Step) -> Entry:
    match = MAIL_TRY.fullmatch(step.detail or "")
    title = f"Welcome mail failed, try {match[1]}" if match else "Welcome mail failed"
    return Entry(title, "warn", "mail", step.at, words=match[2] if match else step.detail or "")


def _with_pauses(entries: list[Entry]) -> list[Entry]:
    """Each entry with the time since the last one before it whose moment is known."""
    told: list[Entry] = []
    before: datetime | None = None
    for entry in entries:
        after = (entry.at - before).total_seconds() if entry.at and before else None
        told.append(replace(entry, after=after))
        before = entry.at or before
    return told


def _to_come(found: RequestItem, now: datetime) -> list[Entry]:
    if found.under_way:
        return [_next_attempt(found, now)]
    last = found.steps[-1] if found.steps else None
    if found.status != "provisioned" or found.welcome_email != "pending" or last is None:
        return []
    match = MAIL_TRY.fullmatch(last.detail or "") if last.step == "mail_failed" else None
    if match is None:
        return [Entry("Welcome mail waits", "off", "clock", words="It is sent within moments.")]
    tries = int(match[1])
    pause = MAIL_BACKOFF[min(tries, len(MAIL_BACKOFF)) - 1]
    due = last.at + timedelta(seconds=pause) if last.at else None
    return [Entry(f"Welcome mail waits for try {tries + 1}", "off", "clock", words=MAIL_RHYTHM, due=due)]


def _next_attempt(found: RequestItem, now: datetime) -> Entry:
    done, of = found.attempts or 0, found.max_attempts
    title = f"Attempt {done + 1}" + (f" of {of}" if of else "")
    if found.steps and found.steps[-1].step == "attempt_started":
        since = found.steps[-1].at
        words = f"For {duration(max(0.0, (now - since).total_seconds()))} so far." if since else ""
        return Entry("Under way", "off", "clock", words=words)
    late = found.due_at is not None and found.due_at <= now
    words = "Any moment now." if late or found.due_at is None else ""
    return Entry(title, "off", "clock", words=words, due=None if late else found.due_at)
