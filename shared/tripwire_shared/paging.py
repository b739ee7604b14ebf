"""Pages of a list that is newest first: a cursor names the row at the edge of a page, and in which direction to go on.

By row and not by number: whatever comes in or goes meanwhile, no row is shown twice and none is left out.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from tripwire_shared.errors import InvalidFields

T = TypeVar("T")


@dataclass(frozen=True)
class Cursor:
    """What lies beyond the row (`at`, `id`): the older rows, or the newer ones. Without a row: from the newest on."""

    at: datetime | None = None
    id: UUID | None = None
    newer: bool = False


@dataclass(frozen=True)
class Page(Generic[T]):
    """`next_cursor` leads to older rows, `previous_cursor` to newer ones; None where there are none."""

    items: list[T]
    next_cursor: str | None
    previous_cursor: str | None


class NotOurs(InvalidFields):
    """No list gave this cursor."""

    def __init__(self) -> None:
        super().__init__({"cursor": ["Is not a cursor that a list gave."]})


def read_cursor(text: str | None) -> Cursor:
    """Raises NotOurs."""
    if not text:
        return Cursor()
    try:
        direction, at, row_id = base64.urlsafe_b64decode(text.encode()).decode().split("|")
        moment, edge = datetime.fromisoformat(at), UUID(row_id)
    except ValueError:
        raise NotOurs from None
    if direction not in ("older", "newer") or moment.tzinfo is None:
        raise NotOurs
    return Cursor(moment, edge, direction == "newer")


def page_of(rows: list[T], limit: int, cursor: Cursor, edge: Callable[[T], tuple[datetime, UUID]]) -> Page[T]:
    """The page of `rows`: newest first, read with one row more than `limit`, so that we know whether there are more."""
    more = len(rows) > limit
    items = rows[-limit:] if cursor.newer else rows[:limit]
    if not items:
        return Page([], None, None)
    newer, older = (more, True) if cursor.newer else (cursor.at is not None, more)
    return Page(
        items,
        _write("older", *edge(items[-1])) if older else None,
        _write("newer", *edge(items[0])) if newer else None,
    )


def _write(direction: str, at: datetime, row_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{direction}|{at.isoformat()}|{row_id}".encode()).decode()
