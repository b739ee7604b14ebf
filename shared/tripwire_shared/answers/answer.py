"""An answer of the API: to JSON, from JSON, from a row of PostgreSQL, and its JSON Schema.

A field whose value is unknown is null and never 0. A field that is added later has a default, so that who reads the
answer of an older API reads "unknown". Fields that a reader does not know are ignored.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec

A = TypeVar("A", bound="Answer")
# ISO 8601 with its time zone.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_FIELD = re.compile(r"`([^`]+)`")
REFERENCE = "#/components/schemas/{name}"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all answers."""


class UnreadableAnswer(ValueError):
    """The text is no such answer; the message is the field that is missing or of another kind."""


def dump(answer: Answer) -> bytes:
    return msgspec.json.encode(answer)


def load(kind: type[A], text: bytes) -> A:
    """Raises UnreadableAnswer."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        found = _FIELD.findall(str(error))
        raise UnreadableAnswer(found[-1].removeprefix("$.") if found else "of the whole answer") from error


def from_row(kind: type[A], row: Any, **given: object) -> A:
    """The answer of a row whose columns are called like its fields on the wire. `given` stands for columns of the same
    name, and for fields that are no columns; further columns are ignored."""
    return msgspec.convert({**row._asdict(), **given}, kind)


def schemas() -> Mapping[str, Any]:
    """The JSON Schema of every answer and of what it is made of, by name, for OpenAPI's components."""
    return msgspec.json.schema_components(list(_all_of(Answer)), ref_template=REFERENCE)[1]


def _all_of(kind: type[Answer]) -> Iterator[type[Answer]]:
    for each in kind.__subclasses__():
        yield each
        yield from _all_of(each)
