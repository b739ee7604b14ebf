"""Why an attempt failed, in plain words; what the server said stays behind "Technical detail". Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tripwire_shared.answers.vocabulary import FailureCause


@dataclass(frozen=True)
class Reason:
    title: str
    words: str
    technical: str


# The words, and whether it passes by itself.
PLAIN: Mapping[str, tuple[str, bool]] = {
    FailureCause.DATABASE_UNREACHABLE: ("The database could not be reached, or did not answer in time.", True),
    FailureCause.DATABASE_CONNECTION_LOST: ("The connection to the database broke.", True),
    FailureCause.DATABASE_REFUSED: ("The database refused what was to be saved.", False),
    FailureCause.IDENTITY_PROVIDER: ("The sign-in service could not be reached or refused.", True),
    FailureCause.EMAIL_TAKEN_MEANWHILE: ("Somebody else used the address at the same moment.", True),
    FailureCause.WORKER_DIED: ("The worker died in the middle of its last attempt.", False),
}
UNKNOWN = ("Something unexpected happened.", False)


def reason(facts: Mapping[str, Any], *, last: bool) -> Reason:
    """`facts` are the detail of a failed step. `last`: no attempt follows by itself."""
    title, passes = PLAIN.get(str(facts.get("cause")), UNKNOWN)
    if last:
        words = "Nothing was saved, and nothing more is tried by itself. Retry resumes it; no duplicates are created."
    elif passes:
        words = "This passes by itself, so the request is tried again. Nothing was saved."
    else:
        words = "The request is tried again by itself. Nothing was saved."
    return Reason(title, words, str(facts.get("text") or ""))
