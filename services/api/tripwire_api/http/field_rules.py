"""Rules of the domain as marshmallow's validators, and fields that several routes share."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from tripwire_shared.email_address import AT_MOST, email_problem
from tripwire_shared.intake.request_rules import (
    NAME_AT_MOST,
    PASSWORD_AT_LEAST,
    PASSWORD_AT_MOST,
    full_name_problem,
    one_line_problem,
    password_problem,
    tidy,
)


def obeys(problem: Callable[[str], str | None]) -> Callable[[str], None]:
    """A rule that gives the reason, or None, as a validator."""

    def check(value: str) -> None:
        if (reason := problem(value)) is not None:
            raise ValidationError(reason)

    return check


def email_field(**arguments: Any) -> fields.String:
    about = {
        "description": "At most 64 characters, all ASCII, before the @; a domain with a dot.",
        "maxLength": AT_MOST,
        "example": "anna@example.com",
    }
    return fields.String(validate=obeys(email_problem), metadata=about, **arguments)


def full_name_field(**arguments: Any) -> fields.String:
    about = {
        "description": "Something to see, no control and no direction characters; kept in NFC.",
        "minLength": 1,
        "maxLength": NAME_AT_MOST,
        "example": "Anna K.",
    }
    return Tidied(validate=obeys(full_name_problem), metadata=about, **arguments)


def password_field() -> fields.String:
    about = {"minLength": PASSWORD_AT_LEAST, "maxLength": PASSWORD_AT_MOST}
    return fields.String(load_default=None, validate=obeys(password_problem), metadata=about)


class Tidied(fields.String):
    """Text for people, as it is kept."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        text = super()._deserialize(value, attr, data, **more)
        return text if text is None else tidy(text)


def one_line_field(at_most: int, **arguments: Any) -> fields.String:
    """Text for people, in one line: a reason, a name."""
    return Tidied(validate=[validate.Length(1, at_most), obeys(one_line_problem)], **arguments)


# All times that there are.
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
# Of a time with its zone the plus sign, which a query that was not encoded turns into a space.
_ZONE = re.compile(r"(.+[T ]\d\d[\d:.,]*) (\d\d(?::?\d\d)?)")
# The end of a day, as its last hour writes it.
_MIDNIGHT = re.compile(r"[T ]24(?::?00){0,2}(?:[.,]0+)?(?=$|Z|[+-])")


class Moment(fields.Field[datetime]):
    """A point in time, or a day, in any spelling of ISO 8601. Without a zone it is UTC; as the end of a span
    (`whole_day`) a day counts whole."""

    def __init__(self, *, whole_day: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._whole_day = whole_day

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:
        text = str(value).strip().upper()
        try:
            days, moment = int(self._whole_day), _day(text)
            if moment is None:
                text, days = _MIDNIGHT.subn("T00:00", _ZONE.sub(r"\1+\2", text))
                moment = datetime.fromisoformat(text)
            return _later(moment.replace(tzinfo=moment.tzinfo or UTC), timedelta(days=days))
        except ValueError:
            raise ValidationError("Must be a time such as 2026-11-24T14:00:00Z, or a day such as 2026-11-24.") from None


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        return None


def _later(moment: datetime, by: timedelta) -> datetime:
    """In UTC; what lies before the first year or after the last one is the end of all times."""
    try:
        return moment.astimezone(UTC) + by
    except OverflowError:
        return FIRST if moment.year == 1 else LAST


class QuerySchema(Schema):
    """What every list and chart takes: an empty parameter, as forms send them, says nothing."""

    @pre_load
    def without_empty(self, data: Any, **_: Any) -> dict[str, Any]:
        return {name: value for name, value in dict(data).items() if value}


class ListQuerySchema(QuerySchema):
    """What every list of requests or customers can be asked for."""

    q = fields.String(validate=validate.Length(max=254))
    manager_id = fields.UUID()
    since = Moment(data_key="from")
    until = Moment(data_key="to", whole_day=True)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    cursor = fields.String(validate=validate.Length(max=200))
