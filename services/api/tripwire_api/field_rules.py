"""Rules of the domain as marshmallow's validators, and fields that several routes share."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate

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


class Moment(fields.Field[datetime]):
    """A point in time, or a day. Without a zone it is UTC; as the end of a span (`whole_day`) a day counts whole."""

    def __init__(self, *, whole_day: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._whole_day = whole_day

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value))
            day = len(str(value)) == len("2026-11-24")
            end = moment + timedelta(days=1) if day and self._whole_day else moment
            return end if end.tzinfo is not None else end.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise ValidationError("Must be a time such as 2026-11-24T14:00:00Z, or a day such as 2026-11-24.") from None


class ListQuerySchema(Schema):
    """What every list of requests or customers can be asked for. An empty `status=` (as a form sends it) says nothing;
    empty `ids=` says: none."""

    @pre_load
    def without_empty(self, data: Any, **_: Any) -> dict[str, Any]:
        return {name: value for name, value in dict(data).items() if value or name == "ids"}

    q = fields.String(validate=validate.Length(max=254))
    manager_id = fields.UUID()
    since = Moment(data_key="from")
    until = Moment(data_key="to", whole_day=True)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    cursor = fields.String(validate=validate.Length(max=200))
