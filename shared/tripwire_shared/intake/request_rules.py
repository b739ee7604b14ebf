"""What a new request may say: rules of the fields that take more than a length. Pure; each gives the reason or None."""

import unicodedata

NAME_AT_MOST = 200
PASSWORD_AT_LEAST, PASSWORD_AT_MOST = 8, 128
# What turns the direction of the text around it: one name would be read in place of another.
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and signs by their category, and nothing to see: Hangul fillers, an empty Braille cell, a null note.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
# A text of more characters is right in no field, and putting it in order takes longer than in proportion to its length.
_LONGEST = 2_000


def tidy(value: str) -> str:
    """A text for people as it is kept: in NFC, without surrounding space."""
    return value.strip() if value.isascii() or len(value) > _LONGEST else unicodedata.normalize("NFC", value).strip()


def full_name_problem(value: str) -> str | None:
    """1 to 200 characters as they are kept, at least one of them visible; no control and no direction characters."""
    kept = tidy(value)
    if not 1 <= len(kept) <= NAME_AT_MOST:
        return f"Must have 1 to {NAME_AT_MOST} characters."
    return one_line_problem(kept)


def one_line_problem(value: str) -> str | None:
    """Text for people in one line: no control and no direction characters, and something to see."""
    if (reason := control_problem(value)) is not None:
        return reason
    if not value.isprintable() and not _DIRECTION.isdisjoint(value):
        return "Must not contain characters that change the direction of text."
    return None if any(map(_visible, value)) else "Must have at least one visible character."


def password_problem(value: str) -> str | None:
    """8 to 128 characters that can be written down as UTF-8."""
    if (reason := control_problem(value)) is not None:
        return reason
    if not PASSWORD_AT_LEAST <= len(value) <= PASSWORD_AT_MOST:
        return f"Must have {PASSWORD_AT_LEAST} to {PASSWORD_AT_MOST} characters."
    return None


def currency_problem(value: str) -> str | None:
    """Three capital letters."""
    return (
        None
        if len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()
        else "Three capital letters."
    )


def control_problem(value: str) -> str | None:
    """No control characters, nothing that breaks a line, and nothing that is no character: half of one (which no UTF-8
    can hold) or what Unicode will never assign."""
    if value.isprintable():  # most are, and then none of these is among them
        return None
    if any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or _no_character(character) for character in value
    ):
        return "Must not contain control characters."
    return None


def _visible(character: str) -> bool:
    """Of a category that is seen by itself: no space, no control, no mark that stands over another letter."""
    if character.isascii():
        return not character.isspace()
    seen = unicodedata.category(character)[0] in "LNPS" or _not_known_yet(character)
    return seen and character not in _BLANK


def _not_known_yet(character: str) -> bool:
    """Not assigned in this Python's Unicode, perhaps in a newer one: this year's emoji. Plane 14 is never seen."""
    return unicodedata.category(character) in ("Cn", "Co") and not 0xE0000 <= ord(character) <= 0xE0FFF


def _no_character(character: str) -> bool:
    return ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
