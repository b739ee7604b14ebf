"""What happened when: charts by buckets, the parts' bars, and incidents with what they cost."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sql

SYSTEM = "/api/admin/system"
PARTS = ["redis", "postgresql", "workers", "telegram", "mail"]


def finished(
    api: ApiUnderTest, at: datetime, took: float, mode: str = "async", status: str = "provisioned", **columns: Any
) -> None:
    """A request that was accepted at `at` and finished `took` seconds later."""
    sql(
        api,
        "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, due_at,"
        " user_id, answer, accepted_at, finished_at) SELECT %s, %s, 'Anna', 1, 'KZT', id, %s, %s, now(), %s, %s, %s, %s"
        " FROM staff LIMIT 1",
        str(uuid4()), f"{uuid4()}@example.com", status, mode, str(uuid4()) if status == "provisioned" else None,
        columns.get("answer", 201), at, at + timedelta(seconds=took),
    )  # fmt: skip


def incident(api: ApiUnderTest, cause: str, opened: datetime, resolved: datetime | None = None) -> int:
    """One that is open fails for a minute yet, or the API's own watch would say that it is over."""
    [row] = sql(
        api,
        "INSERT INTO incidents (cause, opened_at, last_failure_at, resolved_at, detail)"
        " VALUES (%s, %s, coalesce(%s, now() + interval '1 minute'), %s, 'why') RETURNING id",
        cause, opened, resolved, resolved,
    )  # fmt: skip
    return int(row.id)


@pytest.fixture
def now(api: ApiUnderTest) -> datetime:
    """The database's, at the whole second."""
    at: datetime = sql(api, "SELECT date_trunc('second', now()) AS at")[0].at
    return at


def half_hour(now: datetime, back: int) -> datetime:
    """Where the bucket `back` buckets before the current one begins."""
    return now - timedelta(seconds=now.timestamp() % 1800) - back * timedelta(minutes=30)


def measured(api: ApiUnderTest, since: datetime, until: datetime) -> None:
    """As a sweep process leaves it that saw the end of each minute from `since` on that began before `until`."""
    sql(
        api,
        "INSERT INTO measured_minutes SELECT generate_series(date_trunc('minute', %s::timestamptz),"
        " %s::timestamptz - interval '1 microsecond', interval '1 minute') ON CONFLICT DO NOTHING",
        since, until,
    )  # fmt: skip


@pytest.fixture
def always_measured(api: ApiUnderTest, now: datetime) -> None:
    """Up to the last minute that ended, as while a sweep process runs."""
    measured(api, now - timedelta(days=8), now - timedelta(seconds=now.timestamp() % 60))


EMPTY = {"async": 0, "sync": 0, "fallback": 0, "failed": 0, "p50": None, "p95": None}
UNMEASURED = dict.fromkeys(EMPTY)


def numbers(bucket: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in bucket.items() if name != "at"}


@pytest.mark.parametrize(("window", "seconds", "count"), [("1h", 60, 60), ("24h", 600, 144), ("7d", 3600, 168)])
def test_every_bucket_of_the_window_is_there(
    admin: Caller, always_measured: None, window: str, seconds: int, count: int
) -> None:
    history = admin.get(f"{SYSTEM}/history?window={window}").get_json()
    assert (history["window"], history["bucket_seconds"]) == (window, seconds)
    starts = [datetime.fromisoformat(bucket["at"]) for bucket in history["buckets"]]
    assert len(starts) == count
    assert {later - earlier for earlier, later in pairwise(starts)} == {timedelta(seconds=seconds)}
    assert datetime.fromisoformat(history["from"]) == starts[0]
    assert starts[-1] <= datetime.fromisoformat(history["to"]) < starts[-1] + timedelta(seconds=seconds + 5)
    assert all(numbers(bucket) == EMPTY for bucket in history["buckets"])


def test_a_bucket_in_which_nobody_measured_is_null(api: ApiUnderTest, admin: Caller, now: datetime) -> None:
    buckets = admin.get(f"{SYSTEM}/history").get_json()["buckets"]
    assert [numbers(bucket) for bucket in buckets] == [UNMEASURED] * 60, "not installed yet"

    minute = timedelta(minutes=1)
    this = now - timedelta(seconds=now.timestamp() % 60)
    measured(api, this - 20 * minute, this - 15 * minute)
    measured(api, this - 10 * minute, this - 8 * minute)
    finished(api, this - 30 * minute, 1)
    finished(api, this - 40 * minute, 1, status="duplicate")
    known = {
        datetime.fromisoformat(bucket["at"]): numbers(bucket)
        for bucket in admin.get(f"{SYSTEM}/history").get_json()["buckets"]
        if numbers(bucket) != UNMEASURED
    }
    one = {**EMPTY, "async": 1, "p50": 1.0, "p95": 1.0}
    idle = [this - back * minute for back in (40, 20, 19, 18, 17, 16, 10, 9)]
    assert known == {**dict.fromkeys(idle, EMPTY), this - 30 * minute: one}, "what finished was measured"


@pytest.mark.parametrize(("age", "is_known"), [(timedelta(minutes=2), True), (timedelta(minutes=3), False)])
def test_what_comes_after_the_last_minute_is_known_until_the_next_one_is_overdue(
    api: ApiUnderTest, admin: Caller, age: timedelta, is_known: bool
) -> None:
    sql(api, "INSERT INTO measured_minutes VALUES (now() - %s)", age)
    for window in ("1h", "24h", "7d"):
        last = admin.get(f"{SYSTEM}/history?window={window}").get_json()["buckets"][-1]
        at = datetime.fromisoformat(last["at"])
        holds_it = at <= sql(api, "SELECT minute FROM measured_minutes")[0].minute
        assert numbers(last) == (EMPTY if is_known or holds_it else UNMEASURED), window
    bars = admin.get(f"{SYSTEM}/availability").get_json()["parts"]["redis"]
    assert set(bars[:46]) == {"unknown"}
    if is_known:
        assert bars[-1] == "up"


def test_a_bucket_counts_what_was_finished_in_it(api: ApiUnderTest, admin: Caller, now: datetime) -> None:
    minute = now - timedelta(seconds=now.timestamp() % 60) - timedelta(minutes=5)
    for seconds in range(1, 21):
        finished(api, minute - timedelta(seconds=seconds), seconds + 10)
    finished(api, minute, 2, "sync")
    finished(api, minute, 2, "fallback")
    finished(api, minute, 59, status="failed")
    finished(api, minute, 60)  # the next minute
    finished(api, minute, 5, status="duplicate")
    bucket, following = admin.get(f"{SYSTEM}/history").get_json()["buckets"][-6:-4]
    assert datetime.fromisoformat(bucket["at"]) == minute
    assert (bucket["async"], bucket["sync"], bucket["fallback"], bucket["failed"]) == (20, 1, 1, 1)
    assert (bucket["p50"], bucket["p95"]) == (pytest.approx(19.5), pytest.approx(28.95))
    assert (following["async"], following["p50"], following["failed"]) == (1, 60.0, 0)


def test_outages_and_switches_of_the_window_are_told(api: ApiUnderTest, admin: Caller, now: datetime) -> None:
    incident(api, "mail failing", now - timedelta(hours=5), now - timedelta(hours=3))
    incident(api, "queue unavailable", now - timedelta(hours=2), now - timedelta(minutes=10))
    incident(api, "requests failing", now - timedelta(minutes=3))
    version = admin.post(f"{SYSTEM}/mode", json={"mode": "sync_direct", "reason": "a test"}).get_json()["version"]
    history = admin.get(f"{SYSTEM}/history?window=1h").get_json()
    assert [(outage["cause"], outage["ended_at"] is None) for outage in history["outages"]] == [
        ("queue unavailable", False),
        ("requests failing", True),
    ]
    [switch] = history["switches"]
    assert datetime.fromisoformat(switch.pop("at")) >= now
    assert switch == {"mode": "sync_direct", "by": "boss@example.com", "reason": "a test", "version": version}
    assert len(admin.get(f"{SYSTEM}/history?window=24h").get_json()["outages"]) == 3
    assert_problem(admin.get(f"{SYSTEM}/history?window=2d"), 422)


def test_parts_are_up_where_nothing_was_open(api: ApiUnderTest, admin: Caller, always_measured: None) -> None:
    answer = admin.get(f"{SYSTEM}/availability").get_json()
    assert list(answer["parts"]) == PARTS
    assert all(words == ["up"] * 48 for words in answer["parts"].values())
    assert answer["down_seconds"] == dict.fromkeys(PARTS, 0)
    assert answer["outages"] == dict.fromkeys(PARTS, 0)
    assert datetime.fromisoformat(answer["from"]) == half_hour(datetime.now(UTC), 47)
    assert answer["bucket_seconds"] == 1800


def test_bars_tell_wholly_and_partly_down(
    api: ApiUnderTest, admin: Caller, now: datetime, always_measured: None
) -> None:
    # Redis: from the middle of one bucket over two whole ones into the first second of a fourth.
    incident(
        api, "queue unavailable", half_hour(now, 9) - timedelta(minutes=15), half_hour(now, 7) + timedelta(seconds=1)
    )
    incident(api, "queue unavailable", now - timedelta(days=3), now - timedelta(days=2))
    incident(api, "worker absent", half_hour(now, 2))
    incident(api, "requests failing", half_hour(now, 5), half_hour(now, 4))
    answer = admin.get(f"{SYSTEM}/availability").get_json()
    assert answer["parts"]["redis"][47 - 11 :] == ["up", "partly", "down", "down", "partly"] + ["up"] * 7
    assert answer["parts"]["workers"][-4:] == ["up", "down", "down", "down"], "still open: down until now"
    assert answer["parts"]["mail"] == ["up"] * 48
    assert answer["outages"] == {**dict.fromkeys(PARTS, 0), "redis": 1, "workers": 1}
    assert answer["down_seconds"]["redis"] == pytest.approx(15 * 60 + 3600 + 1, abs=0.01)
    assert answer["down_seconds"]["workers"] == pytest.approx((now - half_hour(now, 2)).total_seconds(), abs=30)


def test_half_hours_in_which_nobody_measured_are_not_up(api: ApiUnderTest, admin: Caller, now: datetime) -> None:
    """Not installed yet, then on, then off, then on again; an outage is known although nobody measured."""
    measured(api, half_hour(now, 10) + timedelta(minutes=20), half_hour(now, 8))
    measured(api, half_hour(now, 2), now)
    incident(api, "mail failing", half_hour(now, 9) + timedelta(minutes=10), half_hour(now, 6))
    parts = admin.get(f"{SYSTEM}/availability").get_json()["parts"]
    assert parts["redis"] == ["unknown"] * 37 + ["up"] * 2 + ["unknown"] * 6 + ["up"] * 3
    assert parts["mail"] == ["unknown"] * 37 + ["up", "partly", "down", "down"] + ["unknown"] * 4 + ["up"] * 3


def test_incidents_come_open_ones_first_and_page_by_page(api: ApiUnderTest, admin: Caller, now: datetime) -> None:
    hour = timedelta(hours=1)
    early = incident(api, "mail failing", now - 9 * hour)
    old, older = (incident(api, "queue unavailable", now - n * hour, now - (n - 1) * hour) for n in (8, 6))
    late = incident(api, "worker absent", now - hour)
    last = incident(api, "queue unavailable", now - 3 * hour, now - 2 * hour)
    seen, path = [], f"{SYSTEM}/incidents?limit=2"
    while path:
        page = admin.get(path).get_json()
        seen.append([one["id"] for one in page["incidents"]])
        path = f"{SYSTEM}/incidents?limit=2&before={page['next_before']}" if page["next_before"] else ""
    assert seen == [[late, early], [last, older], [old]]
    first = admin.get(f"{SYSTEM}/incidents").get_json()
    assert [one["id"] for one in first["incidents"]] == [late, early, last, older, old]
    assert first["incidents"][0] == {
        "id": late, "cause": "worker absent", "started_at": (now - hour).isoformat().replace("+00:00", "Z"),
        "ended_at": None, "detail": "why", "served_synchronously": 0, "slowest_seconds": None,
    }  # fmt: skip
    assert_problem(admin.get(f"{SYSTEM}/incidents?limit=0"), 422)


def test_one_that_is_resolved_between_two_pages_is_missing_on_neither(
    api: ApiUnderTest, admin: Caller, now: datetime
) -> None:
    hour = timedelta(hours=1)
    over = incident(api, "queue unavailable", now - 9 * hour, now - 8 * hour)
    opened = [incident(api, cause, now - hour) for cause in ("mail failing", "worker absent", "queue unavailable")]
    first = admin.get(f"{SYSTEM}/incidents?limit=2").get_json()
    sql(api, "UPDATE incidents SET resolved_at = now() WHERE resolved_at IS NULL")
    rest = admin.get(f"{SYSTEM}/incidents?limit=9&before={first['next_before']}").get_json()
    assert {one["id"] for one in [*first["incidents"], *rest["incidents"]]} == {over, *opened}


def test_an_outage_tells_what_it_served_and_how_slow(api: ApiUnderTest, admin: Caller, now: datetime) -> None:
    begin, end = now - timedelta(minutes=30), now - timedelta(minutes=20)
    incident(api, "queue unavailable", begin, end)
    incident(api, "mail failing", begin, end)
    finished(api, begin - timedelta(seconds=1.5), 0.4, "fallback")  # met the outage first
    finished(api, begin + timedelta(minutes=5), 0.9, "fallback")
    finished(api, begin + timedelta(minutes=5), 7, "fallback", answer=202)  # accepted, and finished later
    finished(api, begin + timedelta(minutes=5), 9, "async")
    finished(api, end + timedelta(seconds=1), 5, "fallback")
    mail, queue = admin.get(f"{SYSTEM}/incidents").get_json()["incidents"]
    assert (queue["served_synchronously"], queue["slowest_seconds"]) == (2, pytest.approx(0.9))
    assert (mail["served_synchronously"], mail["slowest_seconds"]) == (0, None)


def test_the_last_incident_stands_in_the_figures(api: ApiUnderTest, admin: Caller, now: datetime) -> None:
    assert admin.get(f"{SYSTEM}/metrics").get_json()["last_incident"] is None
    incident(api, "worker absent", now - timedelta(minutes=50))
    last = incident(api, "queue unavailable", now - timedelta(minutes=30), now - timedelta(minutes=20))
    incident(api, "mail failing", now - timedelta(minutes=40), now - timedelta(minutes=35))
    figures = admin.get(f"{SYSTEM}/metrics").get_json()
    assert (figures["last_incident"]["id"], figures["last_incident"]["cause"]) == (last, "queue unavailable")
    assert figures["incident"]["cause"] == "worker absent"


def test_an_open_outage_tells_in_the_figures_how_slow_its_slowest_was(
    api: ApiUnderTest, admin: Caller, now: datetime
) -> None:
    incident(api, "queue unavailable", now - timedelta(minutes=4))
    finished(api, now - timedelta(minutes=3), 0.9, "fallback")
    finished(api, now - timedelta(minutes=2), 0.4, "fallback")
    told = admin.get(f"{SYSTEM}/metrics").get_json()["incident"]
    assert (told["served_synchronously"], told["slowest_seconds"]) == (2, pytest.approx(0.9))
    [listed] = admin.get(f"{SYSTEM}/incidents").get_json()["incidents"]
    assert listed == told | {"ended_at": None}, "one outage is told in one way"
