"""Customers: listed, filtered, turned page by page, looked at, and their status changed; a manager reaches its own."""

from typing import Any

import pytest

from tests.api.conftest import CREATE as USERS
from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sell, sql

pytestmark = pytest.mark.usefixtures("direct")
SOME_ID = "2f9fd0a6-6c8e-4c6b-9a2b-3f6f2f0e8a11"


def emails(caller: Caller, query: str = "") -> list[str]:
    return [user["email"] for user in caller.get(f"{USERS}?{query}").get_json()["users"]]


def ids_of(page: dict[str, Any]) -> list[str]:
    return [user["user_id"] for user in page["users"]]


def test_a_customer_is_shown_with_manager_and_price(manager: Caller) -> None:
    made = sell(manager, "anna@example.com", full_name="Anna K.", price=7000, currency="EUR")
    listed = manager.get(USERS).get_json()
    [shown] = listed["users"]
    assert shown["manager"] == {"id": manager.id, "email": "manager@example.com", "full_name": "Manager"}
    expected = {
        "user_id": made["user_id"],
        "request_id": made["request_id"],
        "email": "anna@example.com",
        "full_name": "Anna K.",
        "status": "active",
        "price": 7000,
        "currency": "EUR",
        "erased": False,
    }
    assert expected.items() <= shown.items()
    assert shown["welcome_email"] in ("pending", "sent")
    assert (listed["total"], listed["next_cursor"], listed["previous_cursor"]) == (1, None, None)
    assert listed["counts"] == {"active": 1, "inactive": 0, "completed": 0, "blocked": 0}


def test_a_manager_sees_its_own_and_an_admin_all(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    other = api.member("other@example.com")
    sell(manager, "anna@example.com")
    hers = sell(other, "bek@example.com")
    assert emails(manager) == ["anna@example.com"]
    assert emails(admin) == ["bek@example.com", "anna@example.com"]
    assert emails(admin, f"manager_id={manager.id}") == ["anna@example.com"]
    assert emails(manager, f"manager_id={other.id}") == []
    path = f"{USERS}/{hers['user_id']}"
    assert_problem(manager.get(path), 404)
    assert_problem(manager.ask("PATCH", path, json={"status": "blocked"}), 404)
    assert_problem(manager.post(f"{path}/resend-welcome"), 404)
    assert admin.get(path).get_json()["status"] == "active"


def test_filters_narrow_the_list(api: ApiUnderTest, manager: Caller, subtests: pytest.Subtests) -> None:
    for number, name in enumerate(("Anna K.", "Bek_T", "Dana 100%")):
        made = sell(manager, f"c{number}@example.com", full_name=name)
        sql(
            api,
            "UPDATE tripwire_users SET created_at = %s WHERE user_id = %s",
            f"2026-03-0{number + 1} 23:30+00",
            made["user_id"],
        )
    manager.ask("PATCH", f"{USERS}/{made['user_id']}", json={"status": "completed"})
    for query, expected in (
        ("q=anna", "0"),
        ("q=C1%40EXAMPLE", "1"),
        ("q=k_t", "1"),
        ("q=100%25", "2"),
        ("q=n%25k", ""),
        ("q=%20", "210"),
        ("status=completed", "2"),
        ("status=active", "10"),
        ("from=2026-03-02", "21"),
        ("to=2026-03-02", "10"),
        ("from=2026-03-02&to=2026-03-02", "1"),
        ("from=2026-03-02T04:31:00%2B05:00", "21"),
        ("to=2026-03-02T23:30:00Z", "0"),
    ):
        with subtests.test(query):
            assert emails(manager, query) == [f"c{number}@example.com" for number in expected]
    counts = manager.get(f"{USERS}?status=blocked").get_json()
    assert (counts["total"], counts["counts"]["active"], counts["counts"]["completed"]) == (0, 2, 1)


def test_pages_lead_there_and_back(api: ApiUnderTest, manager: Caller) -> None:
    for number in range(7):
        sell(manager, f"c{number}@example.com")
    # Also where rows have the very same time.
    sql(api, "UPDATE tripwire_users SET created_at = '2026-03-01' WHERE email < 'c4'")
    there, path = [], f"{USERS}?limit=3"
    while path:
        page = manager.get(path).get_json()
        assert page["total"] == 7
        there.append(page)
        path = f"{USERS}?limit=3&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    seen = [user["email"] for page in there for user in page["users"]]
    assert len(seen) == len(set(seen)) == 7
    assert seen[:3] == ["c6@example.com", "c5@example.com", "c4@example.com"]
    back = manager.get(f"{USERS}?limit=3&cursor={there[-1]['previous_cursor']}").get_json()
    assert ids_of(back) == ids_of(there[1])
    first = manager.get(f"{USERS}?limit=3&cursor={back['previous_cursor']}").get_json()
    assert (ids_of(first), first["previous_cursor"]) == (ids_of(there[0]), None)
    assert there[0]["previous_cursor"] is None
    assert back["next_cursor"] is not None


def test_a_customer_who_comes_in_meanwhile_moves_nobody_to_another_page(manager: Caller) -> None:
    for number in range(4):
        sell(manager, f"c{number}@example.com")
    first = manager.get(f"{USERS}?limit=2").get_json()
    sell(manager, "new@example.com")
    cursor = first["next_cursor"]
    assert emails(manager, f"limit=2&cursor={cursor}") == ["c1@example.com", "c0@example.com"]


def test_one_customer_comes_with_sale_requests_and_deeds(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    made = sell(manager, "anna@example.com")
    path = f"{USERS}/{made['user_id']}"
    admin.ask("PATCH", path, json={"status": "blocked"}, headers={"X-Forwarded-For": "203.0.113.7"})
    shown = admin.get(path).get_json()
    assert shown["status"] == "blocked"
    assert (shown["sale"]["amount"], shown["sale"]["currency"]) == (5000, "KZT")
    assert [one["request_id"] for one in shown["requests"]] == [made["request_id"]]
    assert [(entry["action"], entry["staff"]["email"]) for entry in shown["activity"]] == [
        ("customer status changed", "boss@example.com"),
        ("customer created", "manager@example.com"),
    ]
    assert shown["activity"][0]["detail"] == {"from": "active", "to": "blocked"}
    assert shown["activity"][0]["address"] == "203.0.113.7"
    to_manager = manager.get(path).get_json()["activity"]
    assert [entry["address"] for entry in to_manager] == [None, "127.0.0.1"], (
        "an admin's address is no manager's matter"
    )


def test_a_status_is_changed_and_noted_once(api: ApiUnderTest, manager: Caller) -> None:
    path = f"{USERS}/{sell(manager)['user_id']}"
    for status in ("completed", "completed", "inactive", "active"):
        answer = manager.ask("PATCH", path, json={"status": status})
        assert (answer.status_code, answer.get_json()["status"]) == (200, status)
    entries = sql(api, "SELECT detail FROM sales_activity_log WHERE action = 'customer status changed' ORDER BY id")
    assert [entry.detail["to"] for entry in entries] == ["completed", "inactive", "active"]


def test_a_name_is_corrected_wherever_it_stands_and_noted_without_it(api: ApiUnderTest, manager: Caller) -> None:
    made = sell(manager)
    path = f"{USERS}/{made['user_id']}"
    answer = manager.ask("PATCH", path, json={"full_name": " Анна Ким ", "status": "completed"})
    assert (answer.get_json()["full_name"], answer.get_json()["status"]) == ("Анна Ким", "completed")
    manager.ask("PATCH", path, json={"full_name": "Анна Ким"})
    assert manager.get(f"{USERS}?q=анна ким").get_json()["total"] == 1
    assert manager.get("/api/admin/tripwire/requests?q=анна ким").get_json()["total"] == 1
    [user] = sql(
        api, "SELECT raw_user_meta_data ->> 'full_name' AS name FROM auth.users WHERE id = %s", made["user_id"]
    )
    assert user.name == "Анна Ким"
    [entry] = sql(api, "SELECT * FROM sales_activity_log WHERE action = 'customer renamed'")
    assert (str(entry.staff_id), str(entry.user_id), entry.detail) == (manager.id, made["user_id"], {})


def test_a_change_of_nothing_or_of_what_cannot_be_changes_nothing(manager: Caller) -> None:
    path = f"{USERS}/{sell(manager)['user_id']}"
    assert set(assert_problem(manager.ask("PATCH", path, json={}), 422)["errors"]) == {"status", "full_name"}
    refused = manager.ask("PATCH", path, json={"status": "blocked", "full_name": "A\u202eB"})
    assert set(assert_problem(refused, 422)["errors"]) == {"full_name"}
    assert manager.get(path).get_json()["status"] == "active"


def test_bad_wishes_are_422_and_name_the_field(manager: Caller, subtests: pytest.Subtests) -> None:
    path = f"{USERS}/{sell(manager)['user_id']}"
    for field, ask in {
        "status": lambda: manager.ask("PATCH", path, json={"status": "erased"}),
        "email": lambda: manager.ask("PATCH", path, json={"status": "active", "email": "new@example.com"}),
        "cursor": lambda: manager.get(f"{USERS}?cursor=b2xkZXJ8"),
        "from": lambda: manager.get(f"{USERS}?from=yesterday"),
        "to": lambda: manager.get(f"{USERS}?to=9999-12-31T99"),
        "limit": lambda: manager.get(f"{USERS}?limit=501"),
        "manager_id": lambda: manager.get(f"{USERS}?manager_id=me"),
        "q": lambda: manager.get(f"{USERS}?q={'x' * 255}"),
    }.items():
        with subtests.test(field):
            assert list(assert_problem(ask(), 422)["errors"]) == [field]


def test_who_is_not_there_is_404(admin: Caller) -> None:
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/resend-welcome"),
        ("POST", "/welcome-link"),
    ):
        body = {"status": "active"} if method == "PATCH" else None
        assert_problem(admin.ask(method, f"{USERS}/{SOME_ID}{path}", json=body) if body else
                       admin.ask(method, f"{USERS}/{SOME_ID}{path}"), 404)  # fmt: skip
