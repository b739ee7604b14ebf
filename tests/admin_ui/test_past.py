"""The last 24 hours as bars and columns, and in words."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.admin_ui.told import metrics_told
from tripwire_admin_ui.presenters.chart_columns import columns
from tripwire_admin_ui.presenters.dependencies import dependencies, share_up
from tripwire_admin_ui.presenters.status_bars import status_bars
from tripwire_admin_ui.presenters.system_state import SystemState
from tripwire_shared.answers.history import Availability, Bucket, History

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)


def past(words: list[str], down: float | None, outages: int | None) -> Availability:
    return Availability(
        bucket_seconds=1800,
        begins=NOW,
        parts={"redis": tuple(words)},
        down_seconds={} if down is None else {"redis": down},
        outages={} if outages is None else {"redis": outages},
    )


def redis_line(availability: Availability | None, **metrics: Any) -> str:
    figures = metrics_told(**metrics)
    part = dependencies(SystemState(NOW, None, figures), availability)[1]
    return f"{part.outages}|{''.join(str(piece) for piece in part.detail)}"


def test_each_state_is_one_path_and_what_was_down_is_taller() -> None:
    drawn = status_bars(["unknown", "up", "down", "up", "partly"])
    assert dict(drawn.paths) == {
        "up": "M4 4h3v16h-3zM12 4h3v16h-3z",
        "partly": "M16 0h3v20h-3z",
        "down": "M8 0h3v20h-3z",
        "unknown": "M0 15h3v5h-3z",
    }
    assert drawn.summary == "5 half hours: 2 up, 1 partly, 1 down, 1 not measured"


def test_a_state_that_is_not_known_here_is_unknown() -> None:
    assert [state for state, _ in status_bars(["sleeping"]).paths] == ["unknown"]


@pytest.mark.parametrize(
    ("count", "seconds", "words"),
    [
        (0, 0.0, "no outage in 24 h"),
        (1, 192.0, "1 outage in 24 h, 3 min 12 s"),
        (2, None, "2 outages in 24 h"),
        (None, None, ""),
    ],
)
def test_outages_are_told_with_their_sum(count: int | None, seconds: float | None, words: str) -> None:
    assert redis_line(past(["up"] * 48, seconds, count)) == f"{words}|circuit closed (normal)"


def test_a_day_that_nobody_measured_had_no_known_outage() -> None:
    assert redis_line(past(["unknown"] * 48, 0.0, 0)) == "not measured in 24 h|circuit closed (normal)"


def test_half_a_day_that_nobody_measured_is_no_day_without_an_outage() -> None:
    half = ["unknown"] * 24 + ["up"] * 24
    assert redis_line(past(half, 0.0, 0)) == "no outage in 24 h (12 h measured)|circuit closed (normal)"
    assert redis_line(past(half, 60.0, 1)) == "1 outage in 24 h (12 h measured), 1 min|circuit closed (normal)"


def test_without_the_past_only_the_present_is_told() -> None:
    assert redis_line(None) == "|circuit closed (normal)"


def test_workers_that_cannot_be_counted_are_told_as_they_last_were() -> None:
    known = {"workers": {"value": 10, "at": "2026-11-24T14:02:05+00:00"}}
    figures = metrics_told(redis="down", workers=None, last_known=known)
    workers = dependencies(SystemState(NOW, None, figures))[2]
    assert (workers.word, workers.detail[0]) == ("Unknown", "counted in Redis, last known 10 at ")


@pytest.mark.parametrize(
    ("words", "down", "share"),
    [
        (["up"] * 48, 0.0, "100 %"),
        (["up"] * 48, 1.0, "99.9 %"),  # never rounded up to a whole day
        (["up"] * 47 + ["partly"], 192.0, "99.8 %"),
        (["unknown"] * 46 + ["up", "down"], 1800.0, "50.0 %"),  # of what is known
        (["unknown"] * 48, 0.0, None),
        (["up"] * 48, None, None),
    ],
)
def test_the_share_of_time_up(words: list[str], down: float | None, share: str | None) -> None:
    assert share_up(past(words, down, 0), "redis") == share


def bucket(at: datetime = NOW, counts: tuple[int | None, ...] = (0, 0, 0), p50: float | None = None) -> Bucket:
    queued, direct, fallback = counts
    failed = None if queued is None else 0
    return Bucket(at=at, queued=queued, direct=direct, fallback=fallback, failed=failed, p50=p50, p95=p50)


def day(*buckets: Bucket) -> History:
    return History(window="24h", bucket_seconds=600, begins=NOW, ends=NOW, buckets=buckets, outages=(), switches=())


def test_columns_are_stacked_by_mode_in_half_hours() -> None:
    counted = [(10, 0, 0), (10, 0, 0), (20, 0, 0), (5, 5, 10), (0, 0, 0)]
    drawn = columns(day(*(bucket(NOW + timedelta(minutes=10 * place), counts) for place, counts in enumerate(counted))))
    assert drawn.peak == 40
    paths = dict(drawn.paths)
    assert paths["queued"] == "M0 0.0h7v40.0h-7zM9 35.0h7v5.0h-7z"
    assert paths["fallback"] == "M9 25.0h7v10.0h-7z"
    assert paths["direct"] == "M9 20.0h7v5.0h-7z"


def test_columns_of_an_idle_day_are_none() -> None:
    drawn = columns(day(*(bucket(),) * 6))
    assert (drawn.paths, drawn.peak, drawn.unmeasured) == ((), 0, 0)


def test_columns_that_nobody_measured_are_low_bars_and_not_nothing() -> None:
    unknown, one = bucket(counts=(None, None, None)), bucket(counts=(1, 0, 0), p50=0.5)
    drawn = columns(day(*(unknown,) * 4, one, unknown))
    assert (drawn.peak, drawn.unmeasured) == (1, 1)
    assert dict(drawn.paths) == {"queued": "M9 0.0h7v40.0h-7z", "unmeasured": "M0 35.0h7v5.0h-7z"}
    assert re.fullmatch(r"\d+", str(drawn.width))
