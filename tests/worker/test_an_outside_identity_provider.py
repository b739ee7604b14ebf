"""With Supabase the auth user is made before the transaction: an attempt that dies in between is resumed."""

import time
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from tests.attempts import attempt, attempt_due
from tests.dripping_server import dripping_server
from tests.identity_server import IdentityServer
from tests.invariants import assert_nothing_broken
from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tripwire_shared.provisioning import identity
from tripwire_shared.provisioning.provision import Outcome

Build = Callable[..., Resources]


def make_due(resources: Resources) -> None:
    rows(resources.database, "UPDATE provisioning_requests SET due_at = now() WHERE status = 'accepted'")


def test_it_makes_the_auth_user_with_the_hash_and_the_request(
    build: Build, staff_id: UUID, identity_server: IdentityServer
) -> None:
    resources = build(**identity_server.settings)
    request_id = accept(resources, staff_id, password="a good password")
    assert attempt(resources, request_id) is Outcome.PROVISIONED
    [user] = rows(resources.database, "SELECT encrypted_password, raw_app_meta_data AS about FROM auth.users")
    assert resources.hasher.verify(user.encrypted_password, "a good password")
    assert user.about["tripwire_request_id"] == str(request_id)
    assert_nothing_broken(resources.settings.database_url)


def test_an_attempt_that_fails_after_it_is_resumed(
    build: Build, staff_id: UUID, identity_server: IdentityServer
) -> None:
    resources = build(**identity_server.settings)
    request_id = accept(resources, staff_id)
    rows(resources.database, "ALTER TABLE sales ADD CONSTRAINT refuses CHECK (amount < 0) NOT VALID")
    assert attempt(resources, request_id) is Outcome.TRY_AGAIN
    rows(resources.database, "ALTER TABLE sales DROP CONSTRAINT refuses")
    assert len(rows(resources.database, "SELECT 1 FROM auth.users")) == 1
    make_due(resources)
    assert [one.outcome for one in attempt_due(resources)] == [Outcome.PROVISIONED]
    assert len(rows(resources.database, "SELECT 1 FROM auth.users")) == 1
    assert identity_server.calls == 2
    assert_nothing_broken(resources.settings.database_url)


@pytest.mark.parametrize("made_by", [None, "4254f658-c0bb-4050-890d-becfe6cb6ccd"])
def test_somebody_elses_is_a_duplicate(
    build: Build, staff_id: UUID, identity_server: IdentityServer, made_by: str | None
) -> None:
    resources = build(**identity_server.settings)
    request_id = accept(resources, staff_id)
    rows(
        resources.database,
        "INSERT INTO auth.users (id, email, raw_app_meta_data)"
        " VALUES (%s, 'anna@example.com', jsonb_build_object('tripwire_request_id', %s::text))",
        uuid4(),
        made_by,
    )
    assert attempt(resources, request_id) is Outcome.DUPLICATE
    assert rows(resources.database, "SELECT 1 FROM tripwire_users") == []
    assert rows(resources.database, "SELECT 1 FROM outbox WHERE channel = 'mail'") == []


def test_one_that_drips_its_answer_is_left_in_time(
    build: Build, staff_id: UUID, identity_server: IdentityServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "IDENTITY_PROVIDER_TOTAL", 0.5)
    with dripping_server() as host:
        resources = build(**{**identity_server.settings, "supabase_url": f"http://{host}"})
        request_id = accept(resources, staff_id)
        began = time.monotonic()
        assert attempt(resources, request_id) is Outcome.TRY_AGAIN
        assert time.monotonic() - began < 3


def test_one_that_says_taken_without_having_a_user_is_tried_again(
    build: Build, staff_id: UUID, identity_server: IdentityServer
) -> None:
    resources = build(**identity_server.settings)
    identity_server.refuse_with = 422
    request_id = accept(resources, staff_id)
    assert attempt(resources, request_id) is Outcome.TRY_AGAIN
    assert resources.requests.get(request_id).error == "The identity provider's user is not in auth.users."
    identity_server.refuse_with = None
    make_due(resources)
    assert [one.outcome for one in attempt_due(resources)] == [Outcome.PROVISIONED]
    assert_nothing_broken(resources.settings.database_url)


@pytest.mark.parametrize(
    ("status", "code", "attempts", "error"),
    [
        (500, None, 0, "The identity provider answered 500."),
        (429, "over_request_rate_limit", 0, "The identity provider answered 429."),
        (302, None, 0, "The identity provider answered 302."),
        (422, "weak_password", 1, "The identity provider answered 422 (weak_password)."),
        (400, "<b>not a word</b>", 1, "The identity provider answered 400."),
        (401, "no_authorization", 1, "The identity provider answered 401 (no_authorization)."),
        (422, "email_exists", 0, "The identity provider's user is not in auth.users."),
    ],
)
def test_what_a_refusal_means(
    build: Build, staff_id: UUID, identity_server: IdentityServer,
    status: int, code: str | None, attempts: int, error: str,
) -> None:  # fmt: skip
    """Only what will not pass by itself uses up an attempt."""
    resources = build(**identity_server.settings)
    identity_server.refuse_with, identity_server.error_code = status, code
    request_id = accept(resources, staff_id)

    assert attempt(resources, request_id) is Outcome.TRY_AGAIN

    found = resources.requests.get(request_id)
    assert (found.attempts, found.error) == (attempts, error)


def test_it_is_tried_again_when_it_asks_for_that(build: Build, staff_id: UUID, identity_server: IdentityServer) -> None:
    resources = build(**identity_server.settings)
    identity_server.refuse_with, identity_server.retry_after = 429, "17"
    attempt(resources, accept(resources, staff_id))
    [row] = rows(
        resources.database, "SELECT extract(epoch FROM due_at - now())::float8 AS pause FROM provisioning_requests"
    )
    assert row.pause == pytest.approx(17, abs=1)


def test_on_this_machine_it_is_asked_past_every_proxy(
    build: Build, staff_id: UUID, identity_server: IdentityServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY")
    resources = build(**identity_server.settings)
    assert attempt(resources, accept(resources, staff_id)) is Outcome.PROVISIONED


def test_each_request_is_a_set_of_its_own(build: Build, identity_server: IdentityServer) -> None:
    """So that several are asked for beside each other, as many as the worker service works on at once."""
    assert build(**identity_server.settings).provisioning.set_at_most == 1
