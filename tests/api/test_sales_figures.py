"""Figures of what was sold: a manager's own, an admin's all; and the log of who did what."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import pytest

from tests.api.conftest import CREATE as USERS
from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sell, sql
from tripwire_shared.postgres.database import Database
from tripwire_shared.sales.sales_figures import SalesFigures
from tripwire_shared.time_zone import time_zone_problem

pytestmark = pytest.mark.usefixtures("direct")
SALES = "/api/admin/tripwire"


@pytest.fixture
def other(api: ApiUnderTest) -> Caller:
    return api.member("other@example.com")


def moved(api: ApiUnderTest, made: dict[str, Any], days: int) -> None:
    """As if this customer had come `days` ago."""
    for table in ("tripwire_users", "sales"):
        sql(api, f"UPDATE {table} SET created_at = created_at - make_interval(days => %s) WHERE user_id = %s", days,
            made["user_id"])  # fmt: skip


def test_stats_count_customers_and_revenue(api: ApiUnderTest, manager: Caller, other: Caller, admin: Caller) -> None:
    sell(manager, "a@example.com", price=7000)
    moved(api, sell(manager, "b@example.com", price=100), 400)
    gone = sell(other, "c@example.com", price=30)
    other.ask("PATCH", f"{USERS}/{gone['user_id']}", json={"status": "blocked"})
    assert admin.get(f"{SALES}/stats").get_json() == {
        "total_customers": 3, "active": 2, "inactive": 0, "completed": 0, "blocked": 1, "total_revenue": 7130,
        "this_week": 2, "this_month": 2, "revenue_this_month": 7030, "currency": "KZT",
        "revenues": [{"currency": "KZT", "customers": 3, "total": 7130, "this_month": 7030}],
    }  # fmt: skip
    own = manager.get(f"{SALES}/stats").get_json()
    assert (own["total_customers"], own["total_revenue"], own["revenue_this_month"]) == (2, 7100, 7000)


def test_two_currencies_are_never_added_up(manager: Caller, other: Caller, admin: Caller) -> None:
    assert manager.get(f"{SALES}/stats").get_json()["currency"] is None
    sell(manager, "a@example.com", currency="EUR", price=900)
    sell(manager, "b@example.com", price=70)
    sell(manager, "c@example.com", price=7)
    sell(other, "d@example.com", currency="EUR", price=10_000)
    own = manager.get(f"{SALES}/stats").get_json()
    assert (own["currency"], own["total_revenue"], own["revenue_this_month"]) == ("KZT", 77, 77)
    assert [(one["currency"], one["customers"], one["total"]) for one in own["revenues"]] == [
        ("KZT", 2, 77), ("EUR", 1, 900),
    ]  # fmt: skip
    board = admin.get(f"{SALES}/leaderboard").get_json()["leaderboard"]
    assert [(line["place"], line["customers"], line["revenue"], line["currency"]) for line in board] == [
        (1, 3, 77, "KZT"), (2, 1, 10_000, "EUR"),
    ], "by customers: no revenue can be compared"  # fmt: skip
    chart = admin.get(f"{SALES}/sales-chart").get_json()
    today = chart["days"][-1]
    assert (chart["currency"], today["revenue"], today["customers"]) == ("EUR", 10_900, 4)
    assert today["revenues"] == {"EUR": 10_900, "KZT": 77}


def test_a_night_in_almaty_belongs_to_its_own_day(api: ApiUnderTest, manager: Caller) -> None:
    """02:00 in Almaty is 21:00 UTC of the day before."""
    user_id = sell(manager)["user_id"]
    night = "(date_trunc('day', now(), 'Asia/Almaty') - interval '1 day' + interval '2 hours')"
    for table in ("tripwire_users", "sales"):
        sql(api, f"UPDATE {table} SET created_at = {night} WHERE user_id = %s", user_id)
    [row] = sql(
        api, f"SELECT ({night} AT TIME ZONE 'Asia/Almaty')::date AS there, ({night} AT TIME ZONE 'UTC')::date AS utc"
    )

    def day_of(tz: str) -> str:
        days = manager.get(f"{SALES}/sales-chart?tz={tz}").get_json()["days"]
        return next(day["date"] for day in days if day["customers"])

    assert (day_of("Asia/Almaty"), day_of("UTC")) == (row.there.isoformat(), row.utc.isoformat())
    assert row.there != row.utc


@pytest.mark.parametrize("what", ["stats", "my-stats", "leaderboard", "sales-chart"])
def test_a_zone_that_nobody_knows_is_refused_by_name(what: str, manager: Caller) -> None:
    for zone in ("Asia/Nowhere", "FOO%2B5", "../etc/passwd", "posixrules", "x" * 300):
        assert list(assert_problem(manager.get(f"{SALES}/{what}?tz={zone}"), 422)["errors"]) == ["tz"]
    assert manager.get(f"{SALES}/{what}?tz=").status_code == 200, "empty says nothing"


def test_every_zone_that_is_taken_is_one_of_postgresql(one_connection: Database) -> None:
    taken = [name for name in available_timezones() if time_zone_problem(name) is None]
    assert len(taken) > 300
    with one_connection.connection() as connection:
        cursor = connection.cursor()
        for name in taken:
            cursor.execute("SELECT date_trunc('day', now(), %s)", (name,))


def test_my_stats_tell_my_place(api: ApiUnderTest, manager: Caller, other: Caller, admin: Caller) -> None:
    third = api.member("third@example.com")
    sell(other, "a@example.com", price=2)
    sell(manager, "b@example.com", price=1)
    mine = manager.get(f"{SALES}/my-stats").get_json()
    assert (mine["total_customers"], mine["place"], mine["of"]) == (1, 2, 3)
    assert third.get(f"{SALES}/my-stats").get_json()["place"] == 3
    # An admin who does not sell has no place; their own figures are theirs alone.
    admins = admin.get(f"{SALES}/my-stats").get_json()
    assert (admins["total_customers"], admins["place"], admins["of"]) == (0, None, 3)


def test_the_leaderboard_is_by_revenue_and_equals_share_a_place(
    api: ApiUnderTest, manager: Caller, other: Caller, admin: Caller
) -> None:
    third = api.member("third@example.com")
    moved(api, sell(other, "a@example.com", price=10), 40)
    sell(manager, "b@example.com", price=10)
    sell(third, "c@example.com", price=11)
    board = admin.get(f"{SALES}/leaderboard").get_json()["leaderboard"]
    assert [(line["place"], line["manager"]["email"], line["revenue"], line["this_month"]) for line in board] == [
        (1, "third@example.com", 11, 1),
        (2, "manager@example.com", 10, 1),
        (2, "other@example.com", 10, 0),
    ]
    [own] = manager.get(f"{SALES}/leaderboard").get_json()["leaderboard"]
    assert (own["manager"]["id"], own["place"]) == (manager.id, 2)


def test_the_chart_has_every_day(api: ApiUnderTest, manager: Caller, other: Caller, admin: Caller) -> None:
    sell(manager, "a@example.com", price=7)
    moved(api, sell(manager, "b@example.com", price=5), 2)
    moved(api, sell(manager, "c@example.com", price=3), 20)
    sell(other, "d@example.com", price=1)
    today = datetime.now(UTC).date()
    chart = admin.get(f"{SALES}/sales-chart").get_json()
    assert chart["period"] == "week"
    assert [day["date"] for day in chart["days"]] == [(today - timedelta(days=n)).isoformat() for n in range(6, -1, -1)]
    assert [(day["customers"], day["revenue"]) for day in chart["days"]] == [(0, 0)] * 4 + [(1, 5), (0, 0), (2, 8)]
    lengths = {}
    for period in ("week", "month", "year"):
        days = manager.get(f"{SALES}/sales-chart?period={period}").get_json()["days"]
        lengths[period] = (len(days), sum(day["revenue"] for day in days))
    assert lengths == {"week": (7, 12), "month": (30, 15), "year": (365, 15)}
    assert_problem(manager.get(f"{SALES}/sales-chart?period=century"), 422)


@pytest.fixture
def one_connection(database_url: str) -> Iterator[Database]:
    database = Database(database_url, application_name="tripwire-test", pool_size=1, statement_limit=5)
    yield database
    database.close()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])  # 14 hours before UTC, 12 behind
def test_days_and_months_are_those_of_the_zone_asked_for_whatever_the_session_has(
    zone: str, api: ApiUnderTest, manager: Caller, one_connection: Database
) -> None:
    # One at the beginning of the month, one in the hour before it.
    for email, moved in (("a@example.com", "0 s"), ("b@example.com", "-1 hour")):
        user_id = sell(manager, email)["user_id"]
        for table in ("tripwire_users", "sales"):
            sql(api, f"UPDATE {table} SET created_at = date_trunc('month', now(), 'UTC') + interval '{moved}'"
                     " WHERE user_id = %s", user_id)  # fmt: skip
    sell(manager, "c@example.com")
    with one_connection.connection() as connection:
        connection.cursor().execute("SET TIME ZONE %s", (zone,))
    store = SalesFigures(one_connection)

    assert (store.stats(None, "UTC").this_month, store.stats(None, "UTC").revenue_this_month) == (2, 10_000)
    assert store.leaderboard("UTC")[0].this_month == 2
    [today] = store.chart("day", 1, None, "UTC").days
    assert today.date == datetime.now(UTC).date()
    assert today.customers >= 1


def test_activity_comes_newest_first_and_page_by_page(manager: Caller, admin: Caller) -> None:
    user_id = sell(manager)["user_id"]
    admin.ask("PATCH", f"{USERS}/{user_id}", json={"status": "blocked"})
    admin.post("/api/admin/system/mode", json={"mode": "async_queue", "reason": "a test"})
    listed = admin.get(f"{SALES}/activity").get_json()
    newest = listed["activity"][0]
    assert (newest["action"], newest["staff"]["email"]) == ("mode switched", "boss@example.com")
    assert newest["detail"]["reason"] == "a test"
    assert newest["address"] == "127.0.0.1"
    assert {"customer created", "mode switched", "customer erased"} <= set(listed["actions"])
    seen, path = [], f"{SALES}/activity?limit=2"
    while path:
        page = admin.get(path).get_json()
        seen += page["activity"]
        path = f"{SALES}/activity?limit=2&before={page['next_before']}" if page["next_before"] else ""
    assert seen == listed["activity"]


def test_activity_is_filtered_by_who_and_what(manager: Caller, admin: Caller) -> None:
    user_id = sell(manager)["user_id"]
    admin.ask("PATCH", f"{USERS}/{user_id}", json={"status": "blocked"})

    def actions(caller: Caller, query: str = "") -> list[str]:
        listed = caller.get(f"{SALES}/activity?{query}").get_json()["activity"]
        return [entry["action"] for entry in listed if not entry["action"].startswith(("staff", "token", "mode"))]

    assert actions(admin) == ["customer status changed", "customer created"]
    assert actions(admin, f"staff_id={manager.id}") == ["customer created"]
    assert actions(admin, "action=customer+status+changed") == ["customer status changed"]
    assert actions(manager) == ["customer created"], "a manager's own"
    assert actions(manager, f"staff_id={admin.id}") == []
    assert_problem(admin.get(f"{SALES}/activity?action=sold"), 422)


def test_the_log_names_customers_by_id_only(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    user_id = sell(manager, "secret.person@example.com", full_name="Secret Person")["user_id"]
    manager.ask("PATCH", f"{USERS}/{user_id}", json={"status": "blocked"})
    manager.post(f"{USERS}/{user_id}/resend-welcome")
    admin.ask("DELETE", f"{USERS}/{user_id}")
    told = admin.get(f"{SALES}/activity").text + str(sql(api, "SELECT * FROM sales_activity_log"))
    assert user_id in told
    assert "ecret" not in told
