"""With Supabase the auth user is made before the transaction: an attempt that dies in between is resumed."""

import time
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from tests.dripping_server import dripping_server
from tests.identity_server import IdentityServer
from tests.invariants import assert_nothing_broken
from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tripwire_shared.provisioning import identity
from tripwire_shared.provisioning.provision import Door, Outcome
from tripwire_shared.requests.request_store import RequestStore

Build = Callable[..., Resources]


def make_due(resources: Resources) -> None:
    rows(resources.database, "UPDATE provisioning_requests SET due_at = now() WHERE status = 'accepted'")


def test_it_makes_the_auth_user_with_the_hash_and_the_request(
    build: Build, staff_id: UUID, identity_server: IdentityServer
) -> None:
    resources = build(**identity_server.settings)
    request_id = accept(resources, staff_id, password="a good password")
    assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.PROVISIONED
    [user] = rows(resources.database, "SELECT encrypted_password, raw_app_meta_data AS about FROM auth.users")
    assert resources.hasher.verify(user.encrypted_password, "a good password")
    assert user.about["tripwire_request_id"] == str(request_id)
    assert_nothing_broken(resources.settings.database_url)


def test_an_attempt_that_fails_after_it_is_resumed(
    build: Build, staff_id: UUID, identity_server: IdentityServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = build(**identity_server.settings)
    request_id = accept(resources, staff_id)
    with monkeypatch.context() as patched:
        patched.setattr(RequestStore, "lock_claimed", lambda *_: 1 / 0)
        assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.TRY_AGAIN
    assert len(rows(resources.database, "SELECT 1 FROM auth.users")) == 1
    make_due(resources)
    assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.PROVISIONED
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
    assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.DUPLICATE
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
        assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.TRY_AGAIN
        assert time.monotonic() - began < 3


def test_one_that_refuses_without_having_a_user_is_tried_again(
    build: Build, staff_id: UUID, identity_server: IdentityServer
) -> None:
    resources = build(**identity_server.settings)
    identity_server.refuse_with = 422
    request_id = accept(resources, staff_id)
    assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.TRY_AGAIN
    assert "identity provider" in str(resources.requests.get(request_id).error)
    identity_server.refuse_with = None
    make_due(resources)
    assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.PROVISIONED
    assert_nothing_broken(resources.settings.database_url)
