"""The figures, grouped by where they are counted. What could not be read is unknown, never 0. Pure."""

from dataclasses import dataclass

from tripwire_admin_ui.presenters.formatting import duration, number
from tripwire_admin_ui.presenters.system_state import SystemState
from tripwire_shared.answers.system import COUNTED_IN_REDIS, LastKnown


@dataclass(frozen=True)
class Figure:
    """`text` is None where the figure is unknown; `was` is then what it was. `status` and `when` lead to the requests
    behind it, as their list is narrowed."""

    name: str
    text: str | None
    unit: str = ""
    was: LastKnown | None = None
    status: str = ""
    when: str = ""


def queue_figures(state: SystemState) -> tuple[Figure, ...]:
    """Counted in Redis."""
    last_known = state.metrics.last_known if state.metrics else {}
    return tuple(_count(state, name.capitalize(), name, was=last_known.get(name)) for name in COUNTED_IN_REDIS)


def database_figures(state: SystemState) -> tuple[Figure, ...]:
    """Counted in PostgreSQL."""
    return (
        _count(state, "In progress", "accepted_unfinished", status="accepted"),
        _oldest(state),
        _count(state, "Provisioned, 24 h", "provisioned_24h", status="provisioned", when="day"),
        _count(state, "Failed, 24 h", "failed_24h", status="failed", when="day"),
        _count(state, "Emails waiting", "mails_waiting"),
        _count(state, "Alerts waiting", "alerts_waiting"),
    )


def _count(
    state: SystemState, name: str, field: str, *, status: str = "", when: str = "", was: LastKnown | None = None
) -> Figure:
    value = state.count(field)
    return Figure(name, None if value is None else number(value), was=was, status=status, when=when)


def _oldest(state: SystemState) -> Figure:
    """Null means "no request waits" when we know that none is under way, and "unknown" otherwise."""
    metrics = state.metrics
    if metrics is not None and metrics.oldest_accepted_seconds is not None:
        text, _, unit = duration(metrics.oldest_accepted_seconds).partition(" ")
        return Figure("Oldest waiting", text, unit)
    none_waits = state.count("accepted_unfinished") == 0
    return Figure("Oldest waiting", "none" if none_waits else None)
