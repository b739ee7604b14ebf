"""What scripts ask for by themselves: the page again every few seconds, and rq-dashboard its data."""

from flask import request

QUEUE = "rq_dashboard"
# What rq-dashboard's scripts poll.
QUEUE_DATA = frozenset(f"{QUEUE}.{view}" for view in ("list_queues", "list_jobs", "list_workers", "job_info"))


def is_refresh() -> bool:
    """A page of ours that renews itself."""
    return "Tripwire-Refresh" in request.headers


def is_use() -> bool:
    """Whether somebody did something. Decided by what is asked for where the script is not ours."""
    if is_refresh():
        return request.headers["Tripwire-Refresh"] == "used"
    return not (request.endpoint in QUEUE_DATA or (request.blueprint == QUEUE and wants_json()))


def is_scripted() -> bool:
    """Whether a script waits for the answer, which has no use for a page."""
    return request.endpoint in QUEUE_DATA or wants_json() or "X-CSRFToken" in request.headers


def wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"
