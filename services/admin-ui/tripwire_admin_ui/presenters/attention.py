"""What waits for a person: each with its one action. Pure."""

from dataclasses import dataclass

from tripwire_admin_ui.presenters.formatting import number
from tripwire_admin_ui.presenters.system_state import SystemState


@dataclass(frozen=True)
class Look:
    """`endpoint` is the page where it is done, `status` the state that its list shows."""

    key: str
    tone: str
    icon: str
    word: str
    sentence: str
    endpoint: str
    action: str
    status: str = ""


def needs_a_look(state: SystemState) -> tuple[Look, ...] | None:
    """None where it is not known."""
    if state.metrics is None:
        return None
    found = (
        _failed(state.failed_requests),
        _mails(state.count("mails_failed")),
        _tokens(state.count("tokens_ending_7d")),
    )
    return tuple(look for look in found if look)


def _failed(count: int | None) -> Look | None:
    if not count:
        return None
    words = f"{number(count)} request{' used up its' if count == 1 else 's used up their'} attempts"
    return Look("failed", "bad", "cross", "Failed", words, "requests.show", "See requests", "failed")


def _mails(count: int | None) -> Look | None:
    if not count:
        return None
    words = f"{number(count)} welcome mail{' was' if count == 1 else 's were'} given up"
    return Look("mails", "bad", "mail", "Mail failed", words, "customers.show", "See customers")


def _tokens(count: int | None) -> Look | None:
    if not count:
        return None
    words = f"{number(count)} token{' ends' if count == 1 else 's end'} within 7 days"
    return Look("tokens", "warn", "triangle", "Expires soon", words, "staff.show", "See staff")
