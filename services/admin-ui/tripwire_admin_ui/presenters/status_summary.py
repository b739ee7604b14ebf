"""The one sentence at the top of a page: what works, what does not, since when, what to do. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from tripwire_admin_ui.api.failures import ApiTooSlow
from tripwire_admin_ui.presenters.cause_texts import cause
from tripwire_admin_ui.presenters.formatting import duration, number
from tripwire_admin_ui.presenters.sentence import Sentence, joined
from tripwire_admin_ui.presenters.system_state import SystemState
from tripwire_shared.answers.history import Incident
from tripwire_shared.answers.system import Metrics

START_A_WORKER = "start a worker, or switch to direct mode."
JUST_BACK = 60.0  # seconds for which Redis' return is the news


@dataclass(frozen=True)
class Action:
    """The one thing to do about it: a page, and what its button says."""

    endpoint: str
    word: str
    status: str = ""


@dataclass(frozen=True)
class Verdict:
    """`tone` is fine, warn, bad or switch; `calm` ones are not tinted.

    `word` is the state in the menu, `short` in titles. `since` starts the running clock, `running` says what runs;
    `lead` opens what to do.
    """

    tone: str
    word: str
    short: str
    title: str
    detail: Sentence = ()
    todo: str = ""
    since: datetime | None = None
    running: str = ""
    calm: bool = False
    lead: str = "What to do:"
    action: Action | None = None


def verdict(state: SystemState, reader: str) -> Verdict:
    """The first that applies. `reader` is the e-mail address of whoever reads it."""
    if state.api_away:
        return API_SLOW if isinstance(state.api_away, ApiTooSlow) else API_AWAY
    if state.database_down:
        return _database_down(state)
    if state.redis_down:
        return _redis_down(state)
    if state.direct:
        return _direct_mode(state, reader)
    if state.mode is None or state.metrics is None:
        return _partly_known(state)
    return _of_figures(state, state.metrics)


API_AWAY = Verdict(
    "warn",
    "Unknown",
    "API unreachable",
    "The API cannot be reached.",
    ("There is nothing to show yet. We do not know what works right now: customers may or may not be created.",),
    "on the server run `tripwire doctor`. It works without the API and without Redis.",
)
API_SLOW = replace(API_AWAY, short="API too slow", title="The API did not answer in time.")
DATABASE_DOWN = Verdict(
    "bad",
    "Down",
    "Database down",
    "The database is down. No customer can be created.",
    ("Requests are refused with 503 and can be sent again. Nothing is half done.",),
    "bring PostgreSQL back.",
)


def _database_down(state: SystemState) -> Verdict:
    incident = _open(state, "database unavailable")
    return replace(DATABASE_DOWN, since=incident.started_at, running="down for") if incident else DATABASE_DOWN


def _open(state: SystemState, word: str) -> Incident | None:
    """The open incident, where it has this cause."""
    incident = state.metrics.incident if state.metrics else None
    return incident if incident and incident.cause == word else None


def _redis_down(state: SystemState) -> Verdict:
    incident = _open(state, "queue unavailable")
    down = Verdict("bad", "Down", "Redis down", "", running="down for", since=incident.started_at if incident else None)
    if state.direct:
        title = "Redis is down. It is not in use: direct mode is on."
        return replace(down, title=title, todo="bring Redis back, then switch to the queue again.")
    return replace(
        down,
        title="Redis is down. Customers are still being created, directly.",
        detail=(f"{_served(incident)}Jobs that were waiting in Redis are finished from the database.",),
        todo="bring Redis back. You need not switch anything: direct creation started by itself and ends by itself "
        "within 2 s of its return.",
    )


def _served(incident: Incident | None) -> str:
    if incident is None or incident.served_synchronously is None:
        return ""
    words = "request" if incident.served_synchronously == 1 else "requests"
    slowest = f", slowest {duration(incident.slowest_seconds)}" if incident.slowest_seconds is not None else ""
    return f"{number(incident.served_synchronously)} {words} processed synchronously so far{slowest}. "


def _direct_mode(state: SystemState, reader: str) -> Verdict:
    mode, waiting = state.mode, state.count("waiting")
    who = mode.changed_by if mode else None
    switched = f" {'You' if who == reader else who} switched it." if who else ""
    detail = "New customers are created inside the API, without the queue."
    if waiting:
        jobs = "1 job already waiting is" if waiting == 1 else f"{number(waiting)} jobs already waiting are"
        detail += f" The {jobs} finished by the workers as before."
    return Verdict(
        "switch",
        "Direct",
        "Direct mode",
        "Direct mode is on." + switched,
        (detail,),
        "switch back to the queue. Nothing else is needed.",
        mode.changed_at if mode else None,
        "on for",
        lead="When the work on Redis is done,",
    )


def _partly_known(state: SystemState) -> Verdict:
    what = "figures" if state.mode else "mode"
    why = " ".join(str(failure) for failure in state.failures[:1])
    title = f"The API answers, but its {what} cannot be read."
    return Verdict("warn", "Unknown", "Partly unknown", title, (why,), "on the server run `tripwire doctor`.")


def _of_figures(state: SystemState, metrics: Metrics) -> Verdict:
    waiting = max(state.count("waiting") or 0, state.count("accepted_unfinished") or 0)
    if state.count("workers") == 0 and waiting:
        title = f"No worker runs. {number(waiting)} {'request waits' if waiting == 1 else 'requests wait'}."
        return Verdict("bad", "Down", "No worker", title, todo=START_A_WORKER)
    if state.count("workers") == 0:
        title = "No worker runs. Nothing waits right now."
        detail = "A new request is accepted and waits until one starts."
        return Verdict("warn", "Warning", "No worker", title, (detail,), START_A_WORKER)
    if metrics.telegram == "failing":
        return _telegram_failing(state, metrics)
    if state.failed_requests:
        return _failed_requests(state, state.failed_requests)
    if metrics.smtp == "failing":
        detail = f"Emails waiting: {number(metrics.mails_waiting)}. They are tried again for 24 hours."
        title = "The system works, but the mail server rejects messages."
        return Verdict("warn", "Warning", "Mail fails", title, (detail,))
    return _fine(metrics)


def _telegram_failing(state: SystemState, metrics: Metrics) -> Verdict:
    alerts, incident = metrics.alerts_waiting, _open(state, "alerts undeliverable")
    waiting = f"{number(alerts)} alert{' waits' if alerts == 1 else 's wait'}"
    since: Sentence = (f"{waiting} since ", incident.started_at) if incident else (waiting,)
    said = f" Telegram said: “{metrics.telegram_detail}”." if metrics.telegram_detail else ""
    detail: Sentence = (*since, f" and are sent in order when it answers again.{said}")
    return Verdict("warn", "Warning", "Telegram fails", "The system works, but Telegram refuses alerts.", detail)


def _failed_requests(state: SystemState, failed: int) -> Verdict:
    one = failed == 1
    words = "request failed and waits" if one else "requests failed and wait"
    calm = "" if state.metrics and state.metrics.incident else " No open incident."
    return Verdict(
        "warn",
        "OK",
        "Failed requests",
        f"The system works. {number(failed)} {words} for you.",
        (f"{_obeyed(state)}{calm} Trying again resumes a request, no duplicates are created.".strip(),),
        calm=True,
        action=Action("requests.show", "See the request" if one else f"See the {number(failed)} requests", "failed"),
    )


def _obeyed(state: SystemState) -> str:
    if state.mode is None or not state.mode.processes or state.mode.behind:
        return ""
    total = len(state.mode.processes)
    where = "the one API process" if total == 1 else f"all {total} API processes"
    return f"Queue mode, version {state.mode.version}, on {where}."


def _fine(metrics: Metrics) -> Verdict:
    back = _just_back(metrics)
    if back:
        return back
    if metrics.incident:
        title = cause(metrics.incident.cause).title
        detail: Sentence = joined((f"{title}: this incident is still open",), _since(metrics.incident))
        return Verdict("fine", "OK", "", "Everything works", detail, calm=True)
    return Verdict("fine", "OK", "", "Everything works", _past(metrics.last_incident), calm=True)


def _since(incident: Incident) -> Sentence:
    return ("since ", incident.started_at, ".")


def _just_back(metrics: Metrics) -> Verdict | None:
    last = metrics.last_incident
    if not last or last.cause != "queue unavailable" or last.ended_at is None:
        return None
    if (metrics.measured_at - last.ended_at).total_seconds() > JUST_BACK or last.duration is None:
        return None
    served = last.served_synchronously
    told = f"{number(served)} request{' was' if served == 1 else 's were'} processed synchronously. " if served else ""
    detail = f"{told}New ones go through the queue again."
    return Verdict("fine", "OK", "", f"Redis is back after {duration(last.duration)}.", (detail,), calm=True)


def _past(last: Incident | None) -> Sentence:
    if last is None:
        return ("No incident so far.",)
    lasted = f", for {duration(last.duration)}" if last.duration is not None else ""
    return (f"No open incident. The last one: {cause(last.cause).title}, ", last.started_at, f"{lasted}.")
