"""What the API answers: read from JSON once and then typed. Pure.

A figure that is null or absent is None: unknown. It never becomes 0.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")
Document = Mapping[str, Any]


class UnreadableAnswer(ValueError):
    """A field that the page cannot do without is missing or of another kind."""


def whole(document: Document, name: str) -> int | None:
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def seconds(document: Document, name: str) -> float | None:
    value = document.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def text(document: Document, name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) and value else None


def moment(document: Document, name: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(text(document, name) or "")
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def needed(read: Callable[[Document, str], T | None], document: Document, name: str) -> T:
    value = read(document, name)
    if value is None:
        raise UnreadableAnswer(name)
    return value


def listed(read: Callable[[Document], T], document: Document, name: str) -> tuple[T, ...]:
    rows = document.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise UnreadableAnswer(name)
    return tuple(read(row) for row in rows)
