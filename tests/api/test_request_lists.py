"""Requests: filtered by what the console asks for, counted by status, page by page in both directions."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sql, take_in

REQUESTS = "/api/admin/tripwire/requests"


def request_of(api: ApiUnderTest, manager: Caller, name: str, at: str, **columns: Any) -> None:
    """A request that stands as `columns` say, accepted at `at`."""
    values = {"status": "provisioned", "mode": "async", "user_id": str(uuid4()), **columns}
    if values["status"] != "provisioned":
        values["user_id"] = None
    if values["status"] != "accepted":
        values["finished_at"] = f"{at}:02.5+00"
    row = {
        "id": str(uuid4()), "email": f"{name}@example.com", "full_name": name.title(), "price": 5000,
        "currency": "KZT", "staff_id": manager.id, "due_at": f"{at}:05+00", "accepted_at": f"{at}:00+00", **values,
    }  # fmt: skip
    names = ", ".join(row)
    sql(api, f"INSERT INTO provisioning_requests ({names}) VALUES ({', '.join(['%s'] * len(row))})", *row.values())


def names(caller: Caller, query: str = "") -> list[str]:
    listed = caller.get(f"{REQUESTS}?{query}").get_json()["requests"]
    return [one["email"].partition("@")[0] for one in listed]


@pytest.fixture
def five(api: ApiUnderTest, manager: Caller) -> Caller:
    """Five requests: four of the manager's, one of the other's, who is given back."""
    other = api.member("other@example.com")
    request_of(api, manager, "anna", "2026-03-01 10:00")
    request_of(api, manager, "bek", "2026-03-02 10:00", mode="fallback", status="failed", error="No.")
    request_of(api, manager, "cleo", "2026-03-03 10:00", mode="sync")
    request_of(api, other, "dana", "2026-03-04 10:00", status="duplicate")
    request_of(api, manager, "eva", "2026-03-05 10:00", status="accepted")
    return other


def test_filters_narrow_the_list(five: Caller, manager: Caller, admin: Caller, subtests: pytest.Subtests) -> None:
    for query, expected in (
        ("", ["eva", "dana", "cleo", "bek", "anna"]),
        ("status=failed", ["bek"]),
        ("mode=sync", ["cleo"]),
        ("mode=fallback&status=provisioned", []),
        (f"manager_id={five.id}", ["dana"]),
        ("from=2026-03-03", ["eva", "dana", "cleo"]),
        ("to=2026-03-02", ["bek", "anna"]),
        ("from=2026-03-02&to=2026-03-03", ["cleo", "bek"]),
        ("from=2026-03-04T10:00:00Z&to=2026-03-05T10:00:00Z", ["dana"]),
        ("from=2026-03-04t10:00:00z&to=20260304T100001Z", ["dana"]),
        ("from=2026-03-04T15:00:00+05:00&to=2026-03-05 15:00+05", ["dana"]),  # the plus arrives as a space
        ("from=2026-03-04T15:00:00%2B05:00&to=2026-03-04T05:00:01-05:00", ["dana"]),
        ("from=20260302&to=20260303", ["cleo", "bek"]),
        ("from=2026-W10-1&to=2026-W10-2", ["cleo", "bek"]),
        ("to=2026-03-01T24:00", ["anna"]),
        ("to=20260301T2400-04:30&from=2026-03-01T24:00:00", []),
        ("to=2026-W09-7T24:00-06:00", ["anna"]),
        ("from=0001-01-01&to=9999-12-31", ["eva", "dana", "cleo", "bek", "anna"]),
        ("from=0001-01-01T00:00:00%2B14:00&to=9999-12-31T23:59:59-23:59", ["eva", "dana", "cleo", "bek", "anna"]),
        ("from=2026-03-05&to=2026-03-01", []),
        ("q=E%40EXAM", []),
        ("q=a%40exam&from=2026-03-04", ["eva", "dana"]),
    ):
        with subtests.test(query):
            assert names(admin, query) == expected
    assert names(manager) == ["eva", "cleo", "bek", "anna"]
    assert names(manager, f"manager_id={five.id}") == []


def test_counts_tell_each_status_whatever_is_shown(five: Caller, manager: Caller, admin: Caller) -> None:
    everything = {"accepted": 1, "provisioned": 2, "duplicate": 1, "failed": 1}
    shown = admin.get(f"{REQUESTS}?status=failed").get_json()
    assert (shown["total"], shown["counts"]) == (1, everything)
    assert admin.get(REQUESTS).get_json()["total"] == 5
    assert manager.get(REQUESTS).get_json()["counts"] == {**everything, "duplicate": 0}
    assert admin.get(f"{REQUESTS}?mode=async").get_json()["counts"] == {**everything, "provisioned": 1, "failed": 0}


def test_a_request_tells_who_how_long_and_when_again(five: Caller, admin: Caller) -> None:
    under_way, late, *_, done = admin.get(REQUESTS).get_json()["requests"]
    assert done["manager"] == {"id": done["manager"]["id"], "email": "manager@example.com", "full_name": "Manager"}
    assert (done["price"], done["currency"], done["took_seconds"], done["due_at"]) == (5000, "KZT", 2.5, None)
    assert (under_way["took_seconds"], under_way["due_at"]) == (None, "2026-03-05T10:00:05Z")
    assert late["manager"]["email"] == "other@example.com"
    assert done["max_attempts"] == 3
    assert admin.get(f"{REQUESTS}/{done['request_id']}").get_json().items() >= done.items()


def test_pages_lead_there_and_back(five: Caller, admin: Caller) -> None:
    first = admin.get(f"{REQUESTS}?limit=2").get_json()
    second = admin.get(f"{REQUESTS}?limit=2&cursor={first['next_cursor']}").get_json()
    third = admin.get(f"{REQUESTS}?limit=2&cursor={second['next_cursor']}").get_json()
    assert [len(page["requests"]) for page in (first, second, third)] == [2, 2, 1]
    assert (first["previous_cursor"], third["next_cursor"]) == (None, None)
    back = admin.get(f"{REQUESTS}?limit=2&cursor={third['previous_cursor']}").get_json()
    assert back["requests"] == second["requests"]
    assert back["next_cursor"] == second["next_cursor"]
    again = admin.get(f"{REQUESTS}?limit=2&cursor={back['previous_cursor']}").get_json()
    assert (again["requests"], again["previous_cursor"]) == (first["requests"], None)


def test_ids_of_others_are_not_found(five: Caller, manager: Caller) -> None:
    theirs = five.get(REQUESTS).get_json()["requests"][0]["request_id"]
    mine = take_in(manager, "new@example.com")
    listed = manager.get(f"{REQUESTS}?ids={theirs},{mine}").get_json()
    assert [one["request_id"] for one in listed["requests"]] == [mine]


def test_bad_filters_are_422_and_name_the_field(admin: Caller, subtests: pytest.Subtests) -> None:
    for field, value in {
        "mode": "direct",
        "status": "done",
        "from": "2026-13-01",
        "to": "now",
        "manager_id": "1",
        "cursor": "bmV3ZXJ8MjAyNi0wMy0wMXwx",
        "ids": "1,2",
    }.items():
        with subtests.test(field):
            assert list(assert_problem(admin.get(f"{REQUESTS}?{field}={value}"), 422)["errors"]) == [field]
