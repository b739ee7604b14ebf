"""Who did what, as one plain sentence for each line of the activity log. Pure."""

from collections.abc import Mapping
from typing import Any

from tripwire_admin_ui.api_activity import Deed
from tripwire_admin_ui.wording import label, mode_name

QUEUE_CHANGES = {
    "requeue": "put a job back into the queue",
    "requeue all": "put all failed jobs back into the queue",
    "delete": "deleted a job from Redis",
    "empty": "emptied a list of jobs in Redis",
    "compact": "removed stale jobs from the queue",
}


def sentence(deed: Deed, names: Mapping[str, str]) -> str:
    """What stands after the name: `switched to direct mode: “Redis restarts at 14:30”`.

    `names` are the e-mail addresses of staff by id, as far as the reader may know them.
    """
    detail = {"email": names.get(str(deed.detail.get("staff_id"))), **deed.detail}
    match deed.action:
        case "mode changed" | "mode switched":
            why = f": “{detail['reason']}”" if detail.get("reason") else ""
            return f"switched to {mode_name(str(detail.get('mode') or detail.get('to') or 'another mode'))}{why}"
        case "request retried":
            return "retried a failed request"
        case "requests retried":
            return f"retried {detail.get('retried', 'several')} failed requests"
        case "customer erased":
            return "erased the personal data of a customer"
        case "welcome resent" | "welcome mail resent":
            return "sent a customer a new link"
        case "staff added":
            return f"added {_whom(detail)}as {label(str(detail.get('role') or 'staff'))}"
        case "staff changed":
            return _staff_changed(detail)
        case "token made":
            return f"made the token “{detail.get('name', '')}”{_of(detail)}"
        case "token revoked":
            return f"revoked {_named_token(detail)}{_of(detail)}"
        case "customer status changed" | "customer changed":
            status = detail.get("status") or detail.get("to")
            return f"set a customer to {status}" if status else "changed a customer"
        case "queue changed":
            return _in_the_queue(detail)
        case "customer created":
            return "created a customer"
    return deed.action


def _of(detail: Mapping[str, Any]) -> str:
    return f" of {detail['email']}" if detail.get("email") else ""


def _whom(detail: Mapping[str, Any]) -> str:
    return f"{detail['email']} " if detail.get("email") else "somebody "


def _named_token(detail: Mapping[str, Any]) -> str:
    return f"the token “{detail['name']}”" if detail.get("name") else "a token"


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
    return ", ".join(done) or f"changed the account of {_whom(detail).strip()}"


def _in_the_queue(detail: Mapping[str, Any]) -> str:
    words = QUEUE_CHANGES.get(str(detail.get("what")), "changed something in the queue")
    where = [f"{name} {detail[name]}" for name in ("queue", "registry", "job") if detail.get(name)]
    return words + (f" ({', '.join(where)})" if where else "")
