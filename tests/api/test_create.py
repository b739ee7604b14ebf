"""Creating a customer over HTTP: status, body and headers to the letter, by each way."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from deploy.local.data_folder import free_port
from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sql, take_in
from tests.attempts import attempt
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import Mode, Role
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.provisioning.provision import Outcome

CREATE = "/api/admin/tripwire/users"
ANNA = {"email": "anna@example.com", "full_name": "Anna K."}


def switch(api: ApiUnderTest, mode: Mode) -> None:
    api.resources.mode_store.switch(mode, reason=None, changed_by="a test", staff_id=None, expected_version=None)
    wait_until(lambda: api.resources.mode_cache.current().mode is mode)


def assert_accepted(answer: TestResponse, mode: str) -> str:
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.get_json()
    request_id: str = body["request_id"]
    assert UUID(request_id)
    about = {"request_id": request_id, "email": "anna@example.com", "status": "accepted", "mode": mode}
    assert body == {"success": True, **about}
    assert answer.headers["Location"] == f"/api/admin/tripwire/requests/{request_id}"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["X-Request-ID"]
    return request_id


def assert_provisioned(answer: TestResponse, *, fallback: bool) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.get_json()
    ids = {name: body[name] for name in ("request_id", "user_id")}
    told = {"email": "anna@example.com", "status": "provisioned", "mode": "sync", "fallback": fallback}
    assert body == {"success": True, **ids, **told}
    assert answer.headers["Location"] == f"/api/admin/tripwire/users/{body['user_id']}"
    assert answer.headers["X-Request-ID"]
    return body


def test_through_the_queue(manager: Caller) -> None:
    request_id = assert_accepted(manager.post(CREATE, json={**ANNA, "email": " ANNA@Example.com "}), "async")
    found = manager.get(f"/api/admin/tripwire/requests/{request_id}").get_json()
    assert (found["status"], found["mode"], found["welcome_email"]) == ("accepted", "async", "pending")


def test_directly_by_the_mode(api: ApiUnderTest, manager: Caller) -> None:
    switch(api, Mode.SYNC_DIRECT)
    body = assert_provisioned(manager.post(CREATE, json=ANNA), fallback=False)
    found = manager.get(f"/api/admin/tripwire/requests/{body['request_id']}").get_json()
    assert (found["status"], found["mode"], found["user_id"]) == ("provisioned", "sync", body["user_id"])


def test_directly_because_redis_is_away(api_for: Callable[..., ApiUnderTest]) -> None:
    api = api_for(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    manager = api.member("manager@example.com")
    body = assert_provisioned(manager.post(CREATE, json=ANNA), fallback=True)
    assert manager.get(f"/api/admin/tripwire/requests/{body['request_id']}").get_json()["mode"] == "fallback"


def test_directly_whatever_keeps_it_from_being_queued(
    api: ApiUnderTest, manager: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(api.resources.request_queue._form, "message", broken)
    assert_provisioned(manager.post(CREATE, json=ANNA), fallback=True)


@pytest.mark.parametrize("error", [DatabaseUnavailable(), RuntimeError("unexpected")])
def test_stored_but_not_finished_now_is_202_sync(
    api: ApiUnderTest, manager: Caller, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    switch(api, Mode.SYNC_DIRECT)

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(api.resources.provisioning, "provision", fail)
    assert_accepted(manager.post(CREATE, json=ANNA), "sync")


def test_price_and_currency_have_defaults(api: ApiUnderTest, manager: Caller) -> None:
    switch(api, Mode.SYNC_DIRECT)
    for email, more in (("a@example.com", {}), ("b@example.com", {"price": 0, "currency": "EUR"})):
        assert manager.post(CREATE, json={**ANNA, **more, "email": email}).status_code == 201
    with api.resources.database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT amount, currency, manager_id::text FROM sales ORDER BY created_at")
        assert [tuple(row) for row in cursor.fetchall()] == [(5000, "KZT", manager.id), (0, "EUR", manager.id)]


def test_the_bounds_are_inside(manager: Caller, subtests: pytest.Subtests) -> None:
    good: dict[str, Any] = {"price": 1_000_000_000, "full_name": "Ж" * 200, "password": "x" * 128}
    for number, (field, value) in enumerate([*good.items(), ("full_name", "X"), ("password", "12345678")]):
        with subtests.test(field):
            body = {**ANNA, "email": f"{number}@example.com", field: value}
            assert manager.post(CREATE, json=body).status_code == 202


def test_an_address_is_taken_however_it_is_written(manager: Caller, subtests: pytest.Subtests) -> None:
    first = manager.post(CREATE, json={**ANNA, "email": "anna@bücher.example"})
    assert first.get_json()["email"] == "anna@bücher.example"
    for email in ("ANNA@bücher.example ", "anna@xn--bcher-kva.example", "anna@bu\u0308cher.example"):
        with subtests.test(email):
            assert_problem(manager.post(CREATE, json={**ANNA, "email": email}), 409)


EMAIL_TABLES = ("provisioning_requests", "tripwire_users", "auth.users")


@pytest.mark.parametrize("mode", [Mode.SYNC_DIRECT, Mode.ASYNC_QUEUE])
def test_a_domain_is_kept_in_ascii_and_shown_readable(api: ApiUnderTest, manager: Caller, mode: Mode) -> None:
    switch(api, mode)
    made = manager.post(CREATE, json={**ANNA, "email": " Anna@Bücher.example"})
    assert made.get_json()["email"] == "anna@bücher.example"
    if mode is Mode.ASYNC_QUEUE:
        attempt(api.resources, UUID(made.get_json()["request_id"]))
    for table in EMAIL_TABLES:
        assert sql(api, f"SELECT email FROM {table}") == [("anna@xn--bcher-kva.example",)]
    [customer] = manager.get(CREATE).get_json()["users"]
    found = manager.get(f"/api/admin/tripwire/requests/{made.get_json()['request_id']}").get_json()
    assert customer["email"] == found["email"] == "anna@bücher.example"
    [shown] = manager.get(f"{CREATE}/{customer['user_id']}").get_json()["requests"]
    assert shown["email"] == "anna@bücher.example"


@pytest.mark.parametrize("kept", ["anna@bücher.example", "anna@xn--bcher-kva.example"])
@pytest.mark.parametrize("asked", ["anna@bücher.example", "anna@xn--bcher-kva.example"])
def test_others_may_have_kept_the_domain_in_either_form(
    api: ApiUnderTest, manager: Caller, kept: str, asked: str
) -> None:
    """An auth user of theirs; a customer of an earlier version of ours; and one who came while the request waited."""
    sql(api, "INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), %s)", kept)
    boss = api.member("boss@example.com", Role.ADMIN)
    assert assert_problem(boss.post(CREATE, json={**ANNA, "email": asked}), 409)["user_id"]
    sql(api, "DELETE FROM auth.users")
    request_id = take_in(manager, asked)
    sql(api, "UPDATE provisioning_requests SET email = %s", kept)
    assert assert_problem(manager.post(CREATE, json={**ANNA, "email": asked}), 409)["request_id"] == request_id
    sql(api, "UPDATE provisioning_requests SET email = %s", "anna@xn--bcher-kva.example")
    sql(api, "INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), %s)", kept)
    assert attempt(api.resources, UUID(request_id)) is Outcome.DUPLICATE
    sql(api, "UPDATE provisioning_requests SET status = 'failed'")
    assert_problem(boss.post(f"/api/admin/tripwire/requests/{request_id}/retry"), 409)
    told = boss.post("/api/admin/tripwire/requests/retry", json={}).get_json()
    assert told == {"retried": 0, "refused": 1, "remaining": 0}


def test_what_ended_without_a_customer_has_a_mail_that_failed(api: ApiUnderTest, manager: Caller) -> None:
    for number, status in enumerate(("failed", "duplicate")):
        request_id = take_in(manager, f"a{number}@example.com")
        path = f"/api/admin/tripwire/requests/{request_id}"
        assert manager.get(path).get_json()["welcome_email"] == "pending"
        sql(api, "UPDATE provisioning_requests SET status = %s, finished_at = now() WHERE id = %s", status, request_id)
        assert manager.get(path).get_json()["welcome_email"] == "failed"


def test_a_customer_is_named_only_to_who_may_see_it(api: ApiUnderTest, manager: Caller) -> None:
    switch(api, Mode.SYNC_DIRECT)
    user_id = manager.post(CREATE, json=ANNA).get_json()["user_id"]
    boss, other = api.member("boss@example.com", Role.ADMIN), api.member("other@example.com")
    own, admins, others = (assert_problem(who.post(CREATE, json=ANNA), 409) for who in (manager, boss, other))
    assert own["user_id"] == admins["user_id"] == user_id
    assert {"user_id", "request_id"}.isdisjoint(others)


def test_an_auth_user_of_somebody_else_is_409(api: ApiUnderTest, manager: Caller) -> None:
    with api.resources.database.connection() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), 'anna@example.com') RETURNING id")
        user_id = str(cursor.fetchone()[0])
    boss = api.member("boss@example.com", Role.ADMIN)
    assert assert_problem(boss.post(CREATE, json=ANNA), 409)["user_id"] == user_id
    assert "user_id" not in assert_problem(manager.post(CREATE, json=ANNA), 409)


def test_a_failed_request_does_not_hold_the_address(api: ApiUnderTest, manager: Caller) -> None:
    first = manager.post(CREATE, json=ANNA).get_json()["request_id"]
    with api.resources.database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE provisioning_requests SET status = 'failed', finished_at = now() WHERE id = %s", (first,)
        )
    second = assert_accepted(manager.post(CREATE, json=ANNA), "async")
    assert attempt(api.resources, second) == "provisioned"


def test_over_the_limit_is_429_for_that_token_alone(api_for: Callable[..., ApiUnderTest]) -> None:
    api = api_for(api_rate_limit=2)
    manager, other = api.member("manager@example.com"), api.member("other@example.com")
    answers = [manager.post(CREATE, json={**ANNA, "email": f"{number}@example.com"}) for number in range(8)]
    refused = [answer for answer in answers if answer.status_code != 202]
    assert refused
    assert len(answers) - len(refused) >= 4, "a burst of as many again is allowed"
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert_problem(refused[0], 429)
    assert other.get("/api/auth/me").status_code == 200
