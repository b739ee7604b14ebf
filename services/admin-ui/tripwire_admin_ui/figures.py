"""The figures, grouped by where they are counted. What could not be read is unknown, never 0. Pure."""

from dataclasses import dataclass

from tripwire_admin_ui.system_state import SystemState
from tripwire_admin_ui.wording import duration, number


@dataclass(frozen=True)
class Figure:
    """`text` is None where the figure is unknown."""

    name: str
    text: str | None


def queue_figures(state: SystemState) -> tuple[Figure, ...]:
    """Counted in Redis."""
    names = ("waiting", "active", "scheduled", "completed", "failed", "workers")
    return tuple(_count(state, name.capitalize(), name) for name in names)


def database_figures(state: SystemState) -> tuple[Figure, ...]:
    """Counted in PostgreSQL."""
    return (
        _count(state, "Under way", "accepted_unfinished"),
        _oldest(state),
        _count(state, "Provisioned, 24 h", "provisioned_24h"),
        _count(state, "Failed, 24 h", "failed_24h"),
        _count(state, "Mails waiting", "mails_waiting"),
        _count(state, "Alerts waiting", "alerts_waiting"),
    )


def _count(state: SystemState, name: str, field: str) -> Figure:
    value = getattr(state.metrics, field) if state.metrics else None
    return Figure(name, None if value is None else number(value))


def _oldest(state: SystemState) -> Figure:
    """Null means "no request waits" when we know that none is under way, and "unknown" otherwise."""
    metrics = state.metrics
    if metrics is not None and metrics.oldest_accepted_seconds is not None:
        return Figure("Oldest waiting", duration(metrics.oldest_accepted_seconds))
    none_waits = metrics is not None and metrics.accepted_unfinished == 0
    return Figure("Oldest waiting", "none" if none_waits else None)
