"""The one sentence at the top of a page: what works, what does not, since when, what to do. Pure."""

from dataclasses import dataclass
from datetime import datetime

from tripwire_admin_ui.api_answers import Metrics
from tripwire_admin_ui.system_state import SystemState
from tripwire_admin_ui.wording import number


@dataclass(frozen=True)
class Verdict:
    """`tone` is fine, warn, bad or switch; `calm` ones are not tinted.

    `word` is the state in the menu, `short` in titles. `since` starts the running clock, `running` says what runs.
    """

    tone: str
    word: str
    short: str
    title: str
    detail: str = ""
    todo: str = ""
    since: datetime | None = None
    running: str = ""
    calm: bool = False


def verdict(state: SystemState, reader: str) -> Verdict:
    """The first that applies. `reader` is the e-mail address of whoever reads it."""
    if state.api_away:
        return API_AWAY
    if state.database_down:
        return DATABASE_DOWN
    if state.redis_down:
        return _redis_down(state)
    if state.direct:
        return _direct_mode(state, reader)
    if state.mode is None or state.metrics is None:
        return _partly_known(state)
    return _of_figures(state.metrics, state.failed_requests)


API_AWAY = Verdict(
    "warn",
    "Unknown",
    "API unreachable",
    "The API cannot be reached.",
    "There is nothing to show yet. We do not know what works right now: customers may or may not be created.",
    "on the server run `tripwire doctor`. It works without the API and without Redis.",
)
DATABASE_DOWN = Verdict(
    "bad",
    "Down",
    "Database down",
    "The database is down. No customer can be created.",
    "Requests are refused with 503 and can be sent again. Nothing is half done.",
    "bring PostgreSQL back.",
)


def _redis_down(state: SystemState) -> Verdict:
    incident = state.metrics.incident if state.metrics else None
    since = incident.started_at if incident else None
    if state.direct:
        title = "Redis is down. It is not in use: direct mode is on."
        return Verdict("bad", "Down", "Redis down", title, since=since, running="down for", todo="bring Redis back.")
    served = incident.served_directly if incident else None
    detail = "Nothing is lost: jobs that were waiting in Redis are finished from the database."
    if served is not None:
        words = "request" if served == 1 else "requests"
        detail = f"{number(served)} {words} served directly so far. {detail}"
    return Verdict(
        "bad",
        "Down",
        "Redis down",
        "Redis is down. Customers are still being created, directly.",
        detail,
        "bring Redis back. You need not switch anything: direct creation started by itself and ends by itself "
        "within 2 s of the return of Redis.",
        since,
        "down for",
    )


def _direct_mode(state: SystemState, reader: str) -> Verdict:
    mode, waiting = state.mode, state.metrics.waiting if state.metrics else None
    who = mode.changed_by if mode else None
    switched = f" {'You' if who == reader else who} switched it." if who else ""
    detail = "New customers are created inside the API, without the queue."
    if waiting:
        jobs = "1 job already waiting is" if waiting == 1 else f"{number(waiting)} jobs already waiting are"
        detail += f" The {jobs} finished by the workers as before."
    since = mode.changed_at if mode else None
    return Verdict("switch", "Direct", "Direct mode", "Direct mode is on." + switched, detail, "", since, "on for")


def _partly_known(state: SystemState) -> Verdict:
    what = "figures" if state.mode else "mode"
    why = " ".join(str(failure) for failure in state.failures[:1])
    title = f"The API answers, but its {what} cannot be read."
    return Verdict("warn", "Unknown", "Partly unknown", title, why, "on the server run `tripwire doctor`.")


def _of_figures(metrics: Metrics, failed_requests: int | None) -> Verdict:
    waiting = max(metrics.waiting or 0, metrics.accepted_unfinished or 0)
    if metrics.workers == 0 and waiting:
        title = f"No worker runs. {number(waiting)} {'request waits' if waiting == 1 else 'requests wait'}."
        return Verdict("bad", "Down", "No worker", title, todo="start a worker, or switch to direct mode.")
    if metrics.telegram == "failing":
        count = f"{number(metrics.alerts_waiting)} wait" if metrics.alerts_waiting else "They wait"
        detail = f"{count} and are sent in order when it answers again."
        return Verdict("warn", "Look", "Telegram fails", "The system works, but Telegram refuses alerts.", detail)
    if failed_requests:
        one = failed_requests == 1
        words = "request failed and waits" if one else "requests failed and wait"
        title = f"The system works. {number(failed_requests)} {words} for you."
        detail = "Trying again resumes a request, nobody is created twice."
        return Verdict("warn", "Look", "Failed requests", title, detail, calm=True)
    if metrics.smtp == "failing":
        return Verdict("warn", "Look", "Mail fails", "The system works, but mails are not accepted.", "They wait.")
    if metrics.redis != "up":
        return Verdict("warn", "Unknown", "Redis unknown", "The API answers, but does not say whether Redis is up.")
    return Verdict("fine", "OK", "", "Everything works", "No open incident." * (metrics.incident is None), calm=True)
