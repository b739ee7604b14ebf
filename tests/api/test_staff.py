"""Accounts: made, changed, deactivated; the last admin stays."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sql
from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.timings import TOKEN_CACHE_TTL

NEW = {"email": " New@Example.com ", "full_name": " New Manager ", "role": "sales", "password": "12345678"}


def add(admin: Caller, **fields: Any) -> dict[str, Any]:
    answer = admin.post("/api/admin/staff", json={**NEW, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def change(admin: Caller, staff_id: str, **fields: Any) -> TestResponse:
    return admin.ask("PATCH", f"/api/admin/staff/{staff_id}", json=fields)


def test_a_new_account_can_sign_in(admin: Caller) -> None:
    made = add(admin)
    assert set(made) == {"id", "email", "full_name", "role", "active"}
    assert (made["email"], made["full_name"], made["active"]) == ("new@example.com", "New Manager", True)
    listed = next(one for one in admin.get("/api/admin/staff").get_json()["staff"] if one["id"] == made["id"])
    assert made.items() <= listed.items()
    assert (listed["tokens"], listed["last_seen_at"]) == (0, None)
    signed_in = admin.post("/api/auth/login", json={"email": made["email"], "password": NEW["password"]})
    assert signed_in.status_code == 200


def test_an_address_has_one_account(admin: Caller) -> None:
    add(admin)
    assert_problem(admin.post("/api/admin/staff", json={**NEW, "email": "NEW@example.com"}), 409)


def test_a_change_answers_with_the_account(admin: Caller) -> None:
    made = add(admin)
    answer = change(admin, made["id"], role="admin", active=False)
    assert answer.status_code == 200
    assert answer.get_json() == {**made, "role": "admin", "active": False}


def test_a_new_password_ends_the_sessions_of_the_old_one(admin: Caller) -> None:
    made = add(admin)
    credentials = {"email": made["email"], "password": NEW["password"]}
    session = Caller(admin.client, admin.post("/api/auth/login", json=credentials).get_json()["token"])
    assert change(admin, made["id"], password="another password").status_code == 200
    assert_problem(session.get("/api/auth/me"), 401)
    assert_problem(admin.post("/api/auth/login", json=credentials), 401)


def test_reactivation_revives_no_session_and_no_token(api: ApiUnderTest, admin: Caller) -> None:
    made = add(admin)
    credentials = {"email": made["email"], "password": NEW["password"]}
    session = Caller(admin.client, admin.post("/api/auth/login", json=credentials).get_json()["token"])
    tokens = f"/api/admin/staff/{made['id']}/tokens"
    program = Caller(admin.client, admin.post(tokens, json={"name": "program"}).get_json()["token"])
    assert change(admin, made["id"], active=True).status_code == 200, "it is active already: nothing ends"
    assert [who.get("/api/auth/me").status_code for who in (session, program)] == [200, 200]
    for active in (False, True):
        assert change(admin, made["id"], active=active).status_code == 200
    time.sleep(TOKEN_CACHE_TTL)
    assert [who.get("/api/auth/me").status_code for who in (session, program)] == [401, 401]
    assert admin.get(tokens).get_json() == {"tokens": []}
    assert admin.post("/api/auth/login", json=credentials).status_code == 200


def test_what_an_older_version_left_to_a_deactivated_account_is_not_revived(api: ApiUnderTest, admin: Caller) -> None:
    member = api.member("m@example.com")
    sql(api, "UPDATE staff SET active = false WHERE id = %s", member.id)
    assert change(admin, member.id, active=True).status_code == 200
    assert_problem(member.get("/api/auth/me"), 401)


def test_a_deactivated_account_gets_no_token(api: ApiUnderTest, admin: Caller) -> None:
    member = api.member("m@example.com")
    change(admin, member.id, active=False)
    refused = admin.post(f"/api/admin/staff/{member.id}/tokens", json={"name": "program"})
    assert "deactivated" in assert_problem(refused, 409)["detail"]


@pytest.mark.parametrize("fields", [{"active": False}, {"password": "another password"}])
def test_a_sign_in_that_was_under_way_meanwhile_gives_no_session(
    api: ApiUnderTest, admin: Caller, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    made = add(admin)
    verify = api.resources.hasher.verify

    def changed_while_it_verifies(password_hash: str, password: str) -> bool:
        assert change(admin, made["id"], **fields).status_code == 200
        return bool(verify(password_hash, password))

    monkeypatch.setattr(api.resources.hasher, "verify", changed_while_it_verifies)
    credentials = {"email": made["email"], "password": NEW["password"]}
    assert_problem(admin.post("/api/auth/login", json=credentials), 401)
    assert sql(api, "SELECT 1 FROM staff_tokens WHERE kind = 'session' AND revoked_at IS NULL") == []


def test_a_new_role_holds_within_a_second(api: ApiUnderTest, admin: Caller) -> None:
    member = api.member("m@example.com")
    for role, status in (("admin", 200), ("sales", 403)):
        member.get("/api/auth/me")
        assert change(admin, member.id, role=role).status_code == 200
        time.sleep(TOKEN_CACHE_TTL)
        assert member.get("/api/auth/me").get_json()["role"] == role
        assert member.get("/api/admin/staff").status_code == status


def test_the_last_active_admin_stays(api: ApiUnderTest, admin: Caller) -> None:
    for fields in ({"role": "sales"}, {"active": False}):
        assert_problem(change(admin, admin.id, **fields), 409)
    deputy = api.member("deputy@example.com", Role.ADMIN)
    assert change(admin, deputy.id, active=False).status_code == 200
    assert_problem(change(admin, admin.id, role="sales"), 409)
    assert change(admin, deputy.id, active=True).status_code == 200
    assert change(admin, admin.id, role="sales").status_code == 200


def test_two_admins_cannot_remove_each_other(api: ApiUnderTest, admin: Caller) -> None:
    deputy = api.member("deputy@example.com", Role.ADMIN)
    for _ in range(10):
        pairs = [(admin, deputy.id), (deputy, admin.id)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda pair: change(pair[0], pair[1], active=False).status_code, pairs))
        active = [staff for staff in api.resources.staff.list() if staff.active]
        assert len(active) == 1
        for staff in api.resources.staff.list():
            with api.resources.database.connection() as connection, connection.cursor() as cursor:
                cursor.execute("UPDATE staff SET active = true WHERE id = %s", (staff.id,))


def test_what_admins_do_with_accounts_is_noted(api: ApiUnderTest, admin: Caller) -> None:
    made = add(admin)
    token = admin.post(f"/api/admin/staff/{made['id']}/tokens", json={"name": "program"}).get_json()
    admin.ask("DELETE", f"/api/admin/staff/{made['id']}/tokens/{token['id']}")
    change(admin, made["id"], active=False)
    with api.resources.database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT detail ->> 'staff_id' FROM sales_activity_log WHERE staff_id = %s", (admin.id,))
        assert Counter(row[0] for row in cursor.fetchall()) == {made["id"]: 4}


def test_a_corrected_name_is_noted_as_one(api: ApiUnderTest, admin: Caller) -> None:
    timur = add(admin)
    assert change(admin, timur["id"], full_name="Timur Q.").get_json()["full_name"] == "Timur Q."
    [latest, *_] = admin.get("/api/admin/tripwire/activity").get_json()["activity"]
    assert latest["detail"]["full_name"] == "new"
    assert "Timur" not in str(latest["detail"]), "the log names nobody but by id"
