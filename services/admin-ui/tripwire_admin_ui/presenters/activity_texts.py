"""Who did what, as one plain sentence for each line of the activity log. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from tripwire_admin_ui.presenters.formatting import label, mode_name
from tripwire_shared.answers.activity import ActivityEntry

QUEUE_CHANGES = {
    "requeue": "put a job back into the queue",
    "requeue all": "put all failed jobs back into the queue",
    "delete": "deleted a job from Redis",
    "empty": "cleared a list of jobs in Redis",
    "compact": "removed stale jobs from the queue",
}


def sentence(entry: ActivityEntry, names: Mapping[str, str]) -> str:
    """What stands after the name: `switched to direct mode: “Redis restarts at 14:30”`.

    `names` are the e-mail addresses of staff by id, as far as the reader may know them.
    """
    detail = {"email": names.get(str(entry.detail.get("staff_id"))), **entry.detail}
    told = SENTENCES.get(entry.action)
    if told is None:
        return entry.action
    return told if isinstance(told, str) else told(detail)


def _switched(detail: Mapping[str, Any]) -> str:
    why = f": “{detail['reason']}”" if detail.get("reason") else ""
    return f"switched to {mode_name(str(detail.get('mode') or 'another mode'))}{why}"


def _status_changed(detail: Mapping[str, Any]) -> str:
    return (
        f"changed the status of a customer to {detail['to']}"
        if detail.get("to")
        else "changed the status of a customer"
    )


def _staff_added(detail: Mapping[str, Any]) -> str:
    return f"added {_whom(detail)}as {label(str(detail.get('role') or 'staff'))}"


def _token_made(detail: Mapping[str, Any]) -> str:
    return f"created API token “{detail.get('name', '')}”{_of(detail)}"


def _token_revoked(detail: Mapping[str, Any]) -> str:
    return (f"revoked the token “{detail['name']}”" if detail.get("name") else "revoked a token") + _of(detail)


def _of(detail: Mapping[str, Any]) -> str:
    return f" of {detail['email']}" if detail.get("email") else ""


def _whom(detail: Mapping[str, Any]) -> str:
    return f"{detail['email']} " if detail.get("email") else "somebody "


def _staff_changed(detail: Mapping[str, Any]) -> str:
    done = []
    if detail.get("role"):
        done.append(f"gave {_whom(detail)}the role {label(str(detail['role']))}")
    if detail.get("active") is False:
        done.append(f"deactivated {_whom(detail).strip()}")
    if detail.get("active") is True:
        done.append(f"activated {_whom(detail).strip()} again")
    if detail.get("password"):
        done.append(f"set a new password for {_whom(detail).strip()}")
    if detail.get("full_name"):
        done.append(f"corrected the name of {_whom(detail).strip()}")
    return ", ".join(done) or f"changed the account of {_whom(detail).strip()}"


def _in_the_queue(detail: Mapping[str, Any]) -> str:
    words = QUEUE_CHANGES.get(str(detail.get("what")), "changed something in the queue")
    where = [f"{name} {detail[name]}" for name in ("queue", "registry", "job") if detail.get(name)]
    return words + (f" ({', '.join(where)})" if where else "")


SENTENCES: Mapping[str, str | Callable[[Mapping[str, Any]], str]] = {
    "customer created": "created a customer",
    "customer status changed": _status_changed,
    "customer renamed": "corrected the name of a customer",
    "customer erased": "erased the personal data of a customer",
    "welcome mail resent": "sent a customer a new link",
    "welcome link made": "made a new link to hand over to a customer",
    "request retried": "retried a failed request",
    "mode switched": _switched,
    "staff added": _staff_added,
    "staff changed": _staff_changed,
    "token made": _token_made,
    "token revoked": _token_revoked,
    "queue changed": _in_the_queue,
}
