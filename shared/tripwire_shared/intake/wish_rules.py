"""What a wish may say: the rules of the fields that take more than a length. Pure; each gives the reason, or None."""

import unicodedata

NAME_AT_MOST = 200
PASSWORD_AT_LEAST, PASSWORD_AT_MOST = 8, 128


def full_name_problem(value: str) -> str | None:
    """1 to 200 characters, no control characters. Surrounding space does not count."""
    if (reason := control_problem(value)) is not None:
        return reason
    if not 1 <= len(value.strip()) <= NAME_AT_MOST:
        return f"Must have 1 to {NAME_AT_MOST} characters."
    return None


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
    """No control characters, nothing that breaks a line, and no half of a character (which no UTF-8 can hold)."""
    if value.isprintable():  # most are, and then none of these is among them
        return None
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        return "Must not contain control characters."
    return None
