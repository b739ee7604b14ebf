"""An admin takes a failed request up again."""

import pytest

from tests.api.conftest import ApiUnderTest, Caller, assert_problem
from tests.api.test_create import ANNA, CREATE
from tests.attempts import attempt, attempt_due
from tests.invariants import assert_nothing_broken
from tripwire_shared.provisioning.provision import Outcome

REQUESTS = "/api/admin/tripwire/requests"


def run(api: ApiUnderTest, statement: str, *values: object) -> None:
    with api.resources.database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def failed(api: ApiUnderTest, manager: Caller) -> str:
    request_id: str = manager.post(CREATE, json=ANNA).get_json()["request_id"]
    run(
        api,
        "UPDATE provisioning_requests SET status = 'failed', attempts = 3, error = 'It failed.', finished_at = now()"
        " WHERE id = %s",
        request_id,
    )
    return request_id


def test_it_is_accepted_again_with_all_attempts(api: ApiUnderTest, admin: Caller, failed: str) -> None:
    answer = admin.post(f"{REQUESTS}/{failed}/retry")
    assert answer.status_code == 202
    body = answer.get_json()
    assert (body["request_id"], body["status"], body["attempts"], body["error"]) == (failed, "accepted", 0, None)
    assert body["finished_at"] is None
    assert body["steps"][-1]["step"] == "retried"
    assert [one.outcome for one in attempt_due(api.resources)] == [Outcome.PROVISIONED]
    assert_nothing_broken(api.resources.settings.database_url)


def test_twice_is_409(admin: Caller, failed: str) -> None:
    assert admin.post(f"{REQUESTS}/{failed}/retry").status_code == 202
    assert_problem(admin.post(f"{REQUESTS}/{failed}/retry"), 409)


def test_what_did_not_fail_is_409(api: ApiUnderTest, admin: Caller, manager: Caller) -> None:
    request_id = manager.post(CREATE, json=ANNA).get_json()["request_id"]
    assert_problem(admin.post(f"{REQUESTS}/{request_id}/retry"), 409)
    attempt(api.resources, request_id)
    assert_problem(admin.post(f"{REQUESTS}/{request_id}/retry"), 409)


def test_an_address_taken_by_another_request_is_409_and_says_by_which(
    admin: Caller, manager: Caller, failed: str
) -> None:
    taken_by = manager.post(CREATE, json=ANNA).get_json()["request_id"]
    assert assert_problem(admin.post(f"{REQUESTS}/{failed}/retry"), 409)["request_id"] == taken_by


def test_an_address_taken_by_an_auth_user_is_409(api: ApiUnderTest, admin: Caller, failed: str) -> None:
    user_id = "2f9fd0a6-6c8e-4c6b-9a2b-3f6f2f0e8a11"
    run(api, "INSERT INTO auth.users (id, email) VALUES (%s, 'anna@example.com')", user_id)
    assert assert_problem(admin.post(f"{REQUESTS}/{failed}/retry"), 409)["user_id"] == user_id
    assert admin.get(f"{REQUESTS}/{failed}").get_json()["status"] == "failed"


def test_its_own_auth_user_of_an_earlier_attempt_does_not_stand_in_the_way(
    api: ApiUnderTest, admin: Caller, failed: str
) -> None:
    """Possible with an outside identity provider only."""
    run(
        api,
        "INSERT INTO auth.users (id, email, raw_app_meta_data)"
        " VALUES (gen_random_uuid(), 'anna@example.com', jsonb_build_object('tripwire_request_id', %s))",
        failed,
    )
    assert admin.post(f"{REQUESTS}/{failed}/retry").status_code == 202


def test_it_is_for_admins_and_for_requests_that_are_there(admin: Caller, manager: Caller, failed: str) -> None:
    assert_problem(manager.post(f"{REQUESTS}/{failed}/retry"), 403)
    assert_problem(admin.post(f"{REQUESTS}/2f9fd0a6-6c8e-4c6b-9a2b-3f6f2f0e8a11/retry"), 404)
