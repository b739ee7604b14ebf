"""The charts' history is asked less often than the page renews itself, and never given old after a failure."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.admin_ui.stand_in_system import an_incident
from tests.admin_ui.told import metrics_told, mode_told
from tripwire_admin_ui.api.client import Budget
from tripwire_admin_ui.api.failures import ApiUnreachable
from tripwire_admin_ui.frame.history_cache import KeptHistory
from tripwire_admin_ui.presenters.system_state import SystemState
from tripwire_shared.answers.history import History

NOW = datetime(2026, 11, 24, tzinfo=UTC)
MODE = mode_told(version=1)
QUIET = SystemState(NOW, MODE, metrics_told())


class Past:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    def history(self, token: str, budget: Budget, window: str) -> History:
        self.asked.append(window)
        if self.away:
            raise ApiUnreachable(may_have_arrived=False)
        seconds = {"1h": 60, "24h": 600, "7d": 3600}[window]
        return History(window=window, bucket_seconds=seconds, begins=NOW, ends=NOW, buckets=(), outages=(), switches=())


@pytest.mark.parametrize(("window", "kept_for"), [("1h", 10), ("24h", 60), ("7d", 60)])
def test_it_is_kept_for_a_sixth_of_its_bucket_and_at_most_a_minute(window: str, kept_for: float) -> None:
    clock = [100.0]
    past = Past()
    kept = KeptHistory(past, lambda: clock[0])  # type: ignore[arg-type]
    first = kept.read("token", Budget(), window, QUIET)
    clock[0] += kept_for - 0.1
    assert kept.read("token", Budget(), window, QUIET) is first
    clock[0] += 0.2
    kept.read("token", Budget(), window, QUIET)
    assert past.asked == [window, window]


def test_each_window_is_kept_for_itself() -> None:
    past = Past()
    kept = KeptHistory(past)  # type: ignore[arg-type]
    assert kept.read("token", Budget(), "1h", QUIET).window == "1h"
    assert kept.read("token", Budget(), "7d", QUIET).window == "7d"


def test_a_switch_or_an_outage_since_is_not_left_out() -> None:
    past = Past()
    kept = KeptHistory(past)  # type: ignore[arg-type]
    outage = an_incident(7, "queue unavailable", NOW, None)
    switched = mode_told(mode="sync_direct", version=2)
    for state in (
        QUIET,
        replace(QUIET, mode=switched),
        replace(QUIET, mode=switched, metrics=metrics_told(incident=outage)),
        replace(QUIET, mode=switched, metrics=metrics_told(last_incident=outage)),
    ):
        kept.read("token", Budget(), "7d", state)
        kept.read("token", Budget(), "7d", state)
    assert len(past.asked) == 4


def test_a_failure_is_not_covered_by_what_was_kept_before() -> None:
    clock = [0.0]
    past = Past()
    kept = KeptHistory(past, lambda: clock[0])  # type: ignore[arg-type]
    kept.read("token", Budget(), "1h", QUIET)
    clock[0] += 11
    past.away = True
    with pytest.raises(ApiUnreachable):
        kept.read("token", Budget(), "1h", QUIET)
