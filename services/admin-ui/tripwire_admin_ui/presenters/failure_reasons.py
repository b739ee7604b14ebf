"""Why an attempt failed, in plain words; the raw text stays behind "Technical detail". Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    title: str
    words: str
    technical: str


# The beginning of the API's text, and what it means to somebody who does not know the insides.
PLAIN = (
    ("The database cannot be reached", "The database could not be reached.", True),
    ("The connection to the database broke", "The connection to the database broke.", True),
    ("The database did not answer", "The database did not answer in time.", True),
    ("The database refused", "The database refused what was to be saved.", False),
    ("The identity provider", "The sign-in service could not be reached or refused.", True),
    ("The e-mail address was taken at the same moment", "Somebody else used the address at the same moment.", True),
    ("Its last attempt ended without a word", "The worker died in the middle of its last attempt.", False),
)


def reason(raw: str | None, *, last: bool) -> Reason:
    """`last`: no attempt follows by itself."""
    text = raw or ""
    title, passes = next(
        ((words, passes) for begin, words, passes in PLAIN if text.startswith(begin)),
        ("Something unexpected happened.", False),
    )
    if last:
        words = "Nothing was saved, and nothing more is tried by itself. Retry resumes it; nobody is created twice."
    elif passes:
        words = "This passes by itself, so the request is tried again. Nothing was saved."
    else:
        words = "The request is tried again by itself. Nothing was saved."
    return Reason(title, words, text)
