"""What was sold (contract, section 4)."""

from datetime import date

import msgspec

from tripwire_shared.answers.answer import Answer
from tripwire_shared.answers.staff import StaffName


class Revenue(Answer, frozen=True, kw_only=True):
    """What was charged in one currency; two are never added up."""

    currency: str
    customers: int
    total: int
    this_month: int


class Stats(Answer, frozen=True, kw_only=True):
    """`revenues`: each currency by itself, the one with most customers first. `total_revenue` and `revenue_this_month`
    are those of this first one, which `currency` names; it is null where nothing was sold."""

    total_customers: int
    active: int
    inactive: int
    completed: int
    blocked: int
    total_revenue: int
    this_week: int
    this_month: int
    revenue_this_month: int
    currency: str | None
    revenues: tuple[Revenue, ...] = ()


class OwnStats(Stats, frozen=True, kw_only=True):
    """`place` on the leaderboard among `of`; None for who does not sell."""

    place: int | None
    of: int


class Place(Answer, frozen=True, kw_only=True):
    """A line of the leaderboard; `this_month`: customers. `revenue` is in `currency`, the manager's first one of
    `revenues`; it is null where nothing was sold."""

    place: int
    manager: StaffName
    customers: int
    revenue: int
    this_month: int
    currency: str | None
    revenues: tuple[Revenue, ...] = ()


class Leaderboard(Answer, frozen=True, kw_only=True):
    leaderboard: tuple[Place, ...]


class Day(Answer, frozen=True, kw_only=True):
    """`revenue` is in the currency of the chart; `revenues` holds each currency of the day."""

    date: date
    customers: int
    revenue: int
    revenues: dict[str, int] = msgspec.field(default_factory=dict)


class Chart(Answer, frozen=True, kw_only=True):
    """Each day of the period in `time_zone`, oldest first. `currency` is the one with most customers in the period,
    null where nothing was sold."""

    period: str
    time_zone: str = "UTC"
    currency: str | None = None
    days: tuple[Day, ...]
