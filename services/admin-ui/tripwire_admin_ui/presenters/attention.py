"""What waits for a person: each with its one action. Pure."""

from dataclasses import dataclass

from tripwire_admin_ui.presenters.formatting import number
from tripwire_admin_ui.presenters.system_state import SystemState


@dataclass(frozen=True)
class AttentionItem:
    """`endpoint` is the page where it is done, `status` the state that its list shows."""

    key: str
    tone: str
    icon: str
    word: str
    sentence: str
    endpoint: str
    action: str
    status: str = ""


def needs_attention(state: SystemState) -> tuple[AttentionItem, ...] | None:
    """None where it is not known."""
    if state.metrics is None:
        return None
    found = (
        _failed(state.failed_requests),
        _mails(state.count("mails_failed")),
        _tokens(state.count("tokens_ending_7d")),
    )
    return tuple(item for item in found if item)


def _failed(count: int | None) -> AttentionItem | None:
    if not count:
        return None
    words = f"{number(count)} request{'' if count == 1 else 's'} failed after all attempts"
    return AttentionItem("failed", "bad", "cross", "Failed", words, "requests.show", "See requests", "failed")


def _mails(count: int | None) -> AttentionItem | None:
    if not count:
        return None
    words = f"{number(count)} welcome email{' was' if count == 1 else 's were'} given up"
    return AttentionItem("mails", "bad", "mail", "Mail failed", words, "customers.show", "See customers")


def _tokens(count: int | None) -> AttentionItem | None:
    if not count:
        return None
    words = f"{number(count)} token{' ends' if count == 1 else 's end'} within 7 days"
    return AttentionItem("tokens", "warn", "triangle", "Expires soon", words, "staff.show", "See staff")
