"""What was sold (contract, section 4)."""

from datetime import date

from tripwire_shared.answers.answer import Answer
from tripwire_shared.answers.staff import StaffName


class Stats(Answer, frozen=True, kw_only=True):
    """`currency` is None where sales were made in several, or none was made."""

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


class OwnStats(Stats, frozen=True, kw_only=True):
    """`place` on the leaderboard among `of`; None for who does not sell."""

    place: int | None
    of: int


class Place(Answer, frozen=True, kw_only=True):
    """A line of the leaderboard; `this_month`: customers."""

    place: int
    manager: StaffName
    customers: int
    revenue: int
    this_month: int
    currency: str | None


class Leaderboard(Answer, frozen=True, kw_only=True):
    leaderboard: tuple[Place, ...]


class Day(Answer, frozen=True, kw_only=True):
    date: date
    customers: int
    revenue: int


class Chart(Answer, frozen=True, kw_only=True):
    """Each day of the period, oldest first."""

    period: str
    days: tuple[Day, ...]
