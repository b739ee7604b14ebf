"""Who may do what: a manager sells, an admin does the rest."""

import pytest

from tests.api.conftest import ApiUnderTest, Caller, assert_problem

SOME_ID = "2f9fd0a6-6c8e-4c6b-9a2b-3f6f2f0e8a11"
ADMINS_ONLY = [
    ("GET", "/api/admin/staff"),
    ("POST", "/api/admin/staff"),
    ("PATCH", f"/api/admin/staff/{SOME_ID}"),
    ("GET", f"/api/admin/staff/{SOME_ID}/tokens"),
    ("POST", f"/api/admin/staff/{SOME_ID}/tokens"),
    ("DELETE", f"/api/admin/staff/{SOME_ID}/tokens/{SOME_ID}"),
    ("GET", "/api/admin/system/mode"),
    ("POST", "/api/admin/system/mode"),
    ("GET", "/api/admin/system/metrics"),
    ("GET", "/api/admin/system/logs"),
    ("GET", "/api/admin/system/history"),
    ("GET", "/api/admin/system/availability"),
    ("GET", "/api/admin/system/incidents"),
    ("POST", "/api/admin/system/alerts/test"),
    ("POST", f"/api/admin/tripwire/requests/{SOME_ID}/retry"),
    ("POST", "/api/admin/tripwire/requests/retry"),
    ("DELETE", f"/api/admin/tripwire/users/{SOME_ID}"),
    ("POST", "/api/admin/tripwire/activity/queue"),
]


def test_a_manager_is_refused_what_is_for_admins(manager: Caller, subtests: pytest.Subtests) -> None:
    for method, path in ADMINS_ONLY:
        with subtests.test(f"{method} {path}"):
            assert_problem(manager.ask(method, path), 403)


def test_a_manager_may_sell_and_see_its_own(manager: Caller) -> None:
    sold = manager.post("/api/admin/tripwire/users", json={"email": "anna@example.com", "full_name": "Anna K."})
    assert sold.status_code == 202
    assert manager.get("/api/admin/tripwire/requests").get_json()["total"] == 1


def test_a_manager_does_not_see_what_another_sold(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    sold = manager.post("/api/admin/tripwire/users", json={"email": "anna@example.com", "full_name": "Anna K."})
    other = api.member("other@example.com")
    assert_problem(other.get(sold.headers["Location"]), 404)
    assert other.get("/api/admin/tripwire/requests").get_json()["total"] == 0
    assert admin.get(sold.headers["Location"]).status_code == 200


def test_a_duplicate_names_the_request_only_to_who_may_see_it(
    api: ApiUnderTest, manager: Caller, admin: Caller
) -> None:
    body = {"email": "anna@example.com", "full_name": "Anna K."}
    request_id = manager.post("/api/admin/tripwire/users", json=body).get_json()["request_id"]
    refused = [
        who.post("/api/admin/tripwire/users", json=body) for who in (manager, admin, api.member("o@example.com"))
    ]
    own, admins, others = (assert_problem(answer, 409) for answer in refused)
    assert own["request_id"] == admins["request_id"] == request_id
    assert "request_id" not in others
    assert "user_id" not in others
