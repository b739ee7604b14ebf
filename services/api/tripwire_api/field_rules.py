"""Rules of the domain as marshmallow's validators, and fields that several routes share."""

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, validate

from tripwire_shared.email_address import email_problem
from tripwire_shared.intake.wish_rules import (
    PASSWORD_AT_LEAST,
    PASSWORD_AT_MOST,
    control_problem,
    full_name_problem,
    password_problem,
)


def obeys(problem: Callable[[str], str | None]) -> Callable[[str], None]:
    """A rule that gives the reason, or None, as a validator."""

    def check(value: str) -> None:
        if (reason := problem(value)) is not None:
            raise ValidationError(reason)

    return check


def email_field(**arguments: Any) -> fields.String:
    about = {"description": "ASCII before the @, a domain with a dot.", "maxLength": 254, "example": "anna@example.com"}
    return fields.String(validate=obeys(email_problem), metadata=about, **arguments)


def full_name_field(**arguments: Any) -> fields.String:
    about = {"description": "No control characters.", "minLength": 1, "example": "Anna K."}
    return fields.String(validate=obeys(full_name_problem), metadata=about, **arguments)


def password_field() -> fields.String:
    about = {"minLength": PASSWORD_AT_LEAST, "maxLength": PASSWORD_AT_MOST}
    return fields.String(load_default=None, validate=obeys(password_problem), metadata=about)


def one_line_field(at_most: int, **arguments: Any) -> fields.String:
    """Text for people, in one line: a reason, a name."""
    return fields.String(validate=[validate.Length(1, at_most), obeys(control_problem)], **arguments)
