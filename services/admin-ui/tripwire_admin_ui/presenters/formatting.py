"""How numbers, times and names read on every page. Pure, but for the filters it hands to the templates."""

import json
from datetime import UTC, datetime
from typing import Any

from flask import Flask

MODES = {"async_queue": "queue mode", "sync_direct": "direct mode"}


def mode_name(mode: str) -> str:
    return MODES.get(mode, mode)


def number(value: int) -> str:
    return f"{value:,}"


def duration(seconds: float) -> str:
    """`0.41 s`, `48 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`: the two largest units."""
    if 0 < seconds < 0.005:
        return "under 0.01 s"
    if seconds < 9.95:
        return f"{seconds:.{2 if seconds < 1 else 1}f}".rstrip("0").rstrip(".") + " s"
    whole = round(seconds)
    for size, name, smaller, smaller_name in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{whole} s"


def clock(moment: datetime) -> str:
    """`14:02:07`, in UTC; the page's script turns it into the reader's zone."""
    return moment.astimezone(UTC).strftime("%H:%M:%S")


def stamp(moment: datetime) -> str:
    """`19 Nov, 09:40`, of another year `3 Mar 2025, 12:00`; in UTC."""
    return f"{_day(moment)}, {moment.astimezone(UTC):%H:%M}"


def day_at(moment: datetime) -> str:
    """`on 19 Nov at 09:40`, with the year as in `stamp`; in UTC, within a sentence."""
    return f"on {_day(moment)} at {moment.astimezone(UTC):%H:%M}"


def _day(moment: datetime) -> str:
    local = moment.astimezone(UTC)
    year = f" {local.year}" if local.year != datetime.now(UTC).year else ""
    return f"{local.day} {local:%b}{year}"


def rate(seconds: float | None) -> str:
    """Seconds as they stand in a table: `0.41`; unknown is a dash."""
    if seconds is None:
        return "–"  # noqa: RUF001  # a dash, as in every table
    return f"{seconds:.3g}" if seconds < 10 else f"{seconds:.0f}"


def label(name: str) -> str:
    """`changed_by` → `Changed by`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def plain(value: Any) -> str:
    """A value of an event's metadata as text."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def install(app: Flask) -> None:
    for read in (number, duration, clock, stamp, day_at, rate, label, plain, mode_name):
        app.add_template_filter(read)
