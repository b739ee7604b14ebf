"""How the lists and timelines word times and lengths of time, beyond `wording`. Filters for the templates; pure."""

from datetime import UTC, datetime

from flask import Flask

from tripwire_admin_ui.presenters.formatting import duration


def at_least_nothing(seconds: float) -> float:
    """Clocks of two hosts may differ by a moment: no time is told as negative."""
    return max(0.0, seconds)


def pause(seconds: float) -> str:
    """`0.01 s`, `0.4 s`, `2.0 s`, then as elsewhere: between two steps of a timeline."""
    if seconds < 0.1:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 9.95 else duration(seconds)


def precise(moment: datetime) -> str:
    """`14:59:31.204`, in UTC; the page's script turns it into the reader's zone."""
    return moment.astimezone(UTC).strftime("%H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def until(seconds: float) -> str:
    return f"in {duration(seconds)}" if seconds >= 1 else "any moment"


def day(moment: datetime) -> str:
    """`21 Feb 2027`."""
    local = moment.astimezone(UTC)
    return f"{local.day} {local:%b %Y}"


def install(app: Flask) -> None:
    for read in (at_least_nothing, pause, precise, until, day):
        app.add_template_filter(read)
