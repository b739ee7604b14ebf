"""`Idempotency-Key`: the same key with the same body gets its first 2xx answer again; the key belongs to the caller."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from deploy.local.data_folder import free_port
from tests.api.conftest import ApiUnderTest, Caller, assert_problem
from tests.api.test_create import ANNA, CREATE, switch
from tests.attempts import attempt
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import Mode
from tripwire_shared.errors import DatabaseUnavailable, QueueUnavailable
from tripwire_shared.provisioning.provision import Outcome
from tripwire_shared.timings import KEY_ABANDONED_AFTER

REPLAYED = "Idempotent-Replayed"
TWINS = 50


def create(who: Caller, key: str = "k", **fields: Any) -> TestResponse:
    return who.post(CREATE, json={**ANNA, **fields}, headers={"Idempotency-Key": key})


def assert_replayed(again: TestResponse, first: TestResponse) -> None:
    assert (again.status_code, again.get_json()) == (first.status_code, first.get_json())
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers[REPLAYED] == "true"
    assert REPLAYED not in first.headers


def run(api: ApiUnderTest, statement: str, *values: Any) -> None:
    with api.resources.database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)


def as_if_its_process_died(api: ApiUnderTest, seconds: float) -> None:
    run(api, "UPDATE provisioning_requests SET answer = NULL, accepted_at = now() - make_interval(secs => %s)", seconds)


def test_202_is_replayed_also_when_it_is_done_by_now(api: ApiUnderTest, manager: Caller) -> None:
    first = create(manager)
    assert first.status_code == 202
    assert_replayed(create(manager), first)
    request_id = UUID(first.get_json()["request_id"])
    assert attempt(api.resources, request_id) is Outcome.PROVISIONED
    assert_replayed(create(manager), first)


def test_201_is_replayed_in_whatever_mode(api: ApiUnderTest, manager: Caller) -> None:
    switch(api, Mode.SYNC_DIRECT)
    first = create(manager)
    assert first.status_code == 201
    switch(api, Mode.ASYNC_QUEUE)
    assert_replayed(create(manager), first)


def test_201_by_fallback_is_replayed(api_for: Callable[..., ApiUnderTest]) -> None:
    api = api_for(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    manager = api.member("manager@example.com")
    first = create(manager)
    assert (first.status_code, first.get_json()["fallback"]) == (201, True)
    assert_replayed(create(manager), first)


def test_201_is_replayed_where_a_worker_was_faster(
    api: ApiUnderTest, manager: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The enqueue timed out but was applied: the worker has it, and the caller is told 201."""

    def applied_but_silent(request_ids: list[UUID]) -> None:
        [request_id] = request_ids
        assert attempt(api.resources, request_id) is Outcome.PROVISIONED
        raise QueueUnavailable("TimeoutError")

    monkeypatch.setattr(api.resources.request_queue, "push", applied_but_silent)
    first = create(manager)
    assert (first.status_code, first.get_json()["fallback"]) == (201, True)
    assert_replayed(create(manager), first)
    found = manager.get(f"/api/admin/tripwire/requests/{first.get_json()['request_id']}").get_json()
    assert found["mode"] == "fallback"


def test_202_is_replayed_where_only_the_answer_of_the_commit_was_lost(
    api: ApiUnderTest, manager: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(api, Mode.SYNC_DIRECT)
    provision = api.resources.provisioning.provision

    def commits_but_silent(*what: Any, **how: Any) -> Outcome:
        provision(*what, **how)
        raise DatabaseUnavailable

    monkeypatch.setattr(api.resources.provisioning, "provision", commits_but_silent)
    first = create(manager)
    assert (first.status_code, first.get_json()["mode"]) == (202, "sync")
    wait_until(lambda: create(manager).status_code == 202)
    assert_replayed(create(manager), first)


def test_another_body_is_422_whatever_differs(manager: Caller, subtests: pytest.Subtests) -> None:
    create(manager, password="a good password")
    for field, value in {
        "email": "boris@example.com",
        "full_name": "Anna L.",
        "price": 1,
        "currency": "EUR",
        "password": "another password",
    }.items():
        with subtests.test(field):
            assert_problem(create(manager, **{"password": "a good password", field: value}), 422)
    assert_problem(create(manager), 422)
    assert create(manager, password="a good password").headers[REPLAYED] == "true"


def test_keys_belong_to_the_caller(api: ApiUnderTest, manager: Caller) -> None:
    other = api.member("other@example.com")
    first, second = create(manager), create(other, email="boris@example.com")
    assert (first.status_code, second.status_code) == (202, 202)
    assert REPLAYED not in second.headers
    assert_replayed(create(other, email="boris@example.com"), second)
    assert_problem(create(other, email="anna@example.com", key="another"), 409)


def test_a_refusal_is_not_remembered(api: ApiUnderTest, manager: Caller) -> None:
    other = api.member("other@example.com")
    blocking = create(other).get_json()["request_id"]
    assert_problem(create(manager), 409)
    run(api, "UPDATE provisioning_requests SET status = 'failed', finished_at = now() WHERE id = %s", blocking)
    answer = create(manager)
    assert answer.status_code == 202
    assert REPLAYED not in answer.headers


@pytest.mark.parametrize("mode", [Mode.SYNC_DIRECT, Mode.ASYNC_QUEUE])
def test_a_duplicate_found_late_is_not_remembered(
    api: ApiUnderTest, manager: Caller, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    """Somebody makes the auth user between our row and our attempt: 409, and the key is free."""
    switch(api, mode)
    store, accept = api.resources.requests, api.resources.requests.accept

    def then_somebody_else(news: Any) -> set[UUID]:
        stored: set[UUID] = accept(news)
        run(api, "INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), 'anna@example.com')")
        return stored

    def unavailable(_: list[UUID]) -> None:
        raise QueueUnavailable("ConnectionError")

    with monkeypatch.context() as patched:
        patched.setattr(store, "accept", then_somebody_else)
        patched.setattr(api.resources.request_queue, "push", unavailable)
        assert_problem(create(manager), 409)
    run(api, "DELETE FROM auth.users")
    assert REPLAYED not in create(manager).headers


def test_a_key_in_work_is_409(api: ApiUnderTest, manager: Caller) -> None:
    create(manager)
    as_if_its_process_died(api, KEY_ABANDONED_AFTER - 5)
    assert_problem(create(manager), 409)
    assert_problem(create(manager, full_name="Other"), 422)


def test_what_the_sweep_finished_meanwhile_is_told_at_once(api: ApiUnderTest, manager: Caller) -> None:
    """The caller was told 503, as the answer to the insert was lost; the row was kept."""
    switch(api, Mode.SYNC_DIRECT)
    first = create(manager)
    as_if_its_process_died(api, 1)
    assert_replayed(create(manager), first)


def test_a_key_whose_process_died_is_free_after_30_seconds(api: ApiUnderTest, manager: Caller) -> None:
    switch(api, Mode.SYNC_DIRECT)
    first = create(manager)
    as_if_its_process_died(api, KEY_ABANDONED_AFTER + 1)
    assert_replayed(create(manager), first)
    run(api, "UPDATE provisioning_requests SET status = 'accepted', finished_at = NULL, user_id = NULL")
    as_if_its_process_died(api, KEY_ABANDONED_AFTER + 1)
    waiting = create(manager)
    assert waiting.status_code == 202
    assert waiting.get_json()["request_id"] == first.get_json()["request_id"]


def test_the_previous_secret_still_knows_the_body(
    api_for: Callable[..., ApiUnderTest], api: ApiUnderTest, manager: Caller
) -> None:
    first = create(manager, password="a good password")
    after = api_for(
        secret_key="another-secret-key-for-tests-9876543210", secret_key_previous=api.resources.settings.secret_key
    )
    same = Caller(after.client, manager.token)
    assert_replayed(create(same, password="a good password"), first)
    assert_problem(create(same, password="another password"), 422)


@pytest.mark.parametrize("key", ["x", "y" * 255, "k e-y_1:/?"])
def test_a_key_may_be_any_printable_text(manager: Caller, key: str) -> None:
    first = create(manager, key)
    assert_replayed(create(manager, key), first)


@pytest.mark.parametrize("mode", [Mode.ASYNC_QUEUE, Mode.SYNC_DIRECT])
def test_twins_at_the_same_moment_create_one(api_for: Callable[..., ApiUnderTest], mode: Mode) -> None:
    api = api_for(web_threads=TWINS)
    manager = api.member("manager@example.com")
    switch(api, mode)
    twins = [Caller(api.client.application.test_client(), manager.token) for _ in range(TWINS)]
    with ThreadPoolExecutor(TWINS) as pool:
        answers = list(pool.map(create, twins))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 202, 409}, statuses
    told = [answer for answer in answers if answer.status_code != 409]
    assert len([answer for answer in told if REPLAYED not in answer.headers]) == 1
    assert len({answer.text for answer in told}) == 1
    assert manager.get("/api/admin/tripwire/requests").get_json()["total"] == 1
