"""The charts' history is asked less often than the page renews itself, and never given old after a failure."""

from datetime import UTC, datetime

import pytest

from tripwire_admin_ui.api_client import ApiUnreachable, Budget
from tripwire_admin_ui.api_history import History
from tripwire_admin_ui.kept_history import KeptHistory

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Past:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    def history(self, token: str, budget: Budget, window: str) -> History:
        self.asked.append(window)
        if self.away:
            raise ApiUnreachable(may_have_arrived=False)
        seconds = {"1h": 60, "24h": 600, "7d": 3600}[window]
        return History(window, seconds, NOW, NOW, (), (), ())


@pytest.mark.parametrize(("window", "kept_for"), [("1h", 10), ("24h", 60), ("7d", 60)])
def test_it_is_kept_for_a_sixth_of_its_bucket_and_at_most_a_minute(window: str, kept_for: float) -> None:
    clock = [100.0]
    past = Past()
    kept = KeptHistory(past, lambda: clock[0])  # type: ignore[arg-type]
    first = kept.read("token", Budget(), window)
    clock[0] += kept_for - 0.1
    assert kept.read("token", Budget(), window) is first
    clock[0] += 0.2
    kept.read("token", Budget(), window)
    assert past.asked == [window, window]


def test_each_window_is_kept_for_itself() -> None:
    past = Past()
    kept = KeptHistory(past)  # type: ignore[arg-type]
    assert kept.read("token", Budget(), "1h").window == "1h"
    assert kept.read("token", Budget(), "7d").window == "7d"


def test_a_failure_is_not_covered_by_what_was_kept_before() -> None:
    clock = [0.0]
    past = Past()
    kept = KeptHistory(past, lambda: clock[0])  # type: ignore[arg-type]
    kept.read("token", Budget(), "1h")
    clock[0] += 11
    past.away = True
    with pytest.raises(ApiUnreachable):
        kept.read("token", Budget(), "1h")
