"""The checks: somebody else's auth user, a customer already. Nothing is made, and it is said."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from tests.attempts import attempt
from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tripwire_shared.provisioning.provision import Outcome


def test_an_auth_user_that_somebody_else_made_meanwhile(build: Callable[..., Resources], staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id)
    rows(resources.database, "INSERT INTO auth.users (id, email) VALUES (%s, 'anna@example.com')", uuid4())

    assert attempt(resources, request_id) is Outcome.DUPLICATE

    found = resources.requests.get(request_id)
    assert (found.status, found.user_id, found.welcome_email) == ("duplicate", None, None)
    assert found.error == "An auth user with this e-mail address exists already."
    assert rows(resources.database, "SELECT 1 FROM sales") == []
    [event] = rows(resources.database, "SELECT event_type, message FROM system_health_logs")
    assert event == ("WARNING", "Already a customer, nothing created")


def test_an_address_that_only_looks_alike_is_nobody_else(build: Callable[..., Resources], staff_id: UUID) -> None:
    resources = build()
    for email in ("a_na@example.com", "anna@example.com.kz", "anxa@example.com"):
        assert attempt(resources, accept(resources, staff_id, email)) is Outcome.PROVISIONED


def test_an_own_auth_user_without_a_customer_is_resumed(build: Callable[..., Resources], staff_id: UUID) -> None:
    resources = build()
    request_id, user_id = accept(resources, staff_id), uuid4()
    rows(
        resources.database,
        "INSERT INTO auth.users (id, email, raw_app_meta_data)"
        " VALUES (%s, 'anna@example.com', jsonb_build_object('tripwire_request_id', %s::text))",
        user_id, request_id,
    )  # fmt: skip

    assert attempt(resources, request_id) is Outcome.PROVISIONED

    assert resources.requests.get(request_id).user_id == user_id


@pytest.mark.parametrize("of", ["the address", "its auth user"])
def test_a_customer_that_is_there_already(build: Callable[..., Resources], staff_id: UUID, of: str) -> None:
    """Without the auth user that would speak first: it was removed, or is this request's own."""
    resources = build()
    attempt(resources, accept(resources, staff_id))
    second = accept_beside(resources, staff_id)
    if of == "the address":
        rows(resources.database, "DELETE FROM auth.users")
    else:
        about = "jsonb_build_object('tripwire_request_id', %s::text)"
        rows(resources.database, f"UPDATE auth.users SET raw_app_meta_data = {about}", second)
        rows(resources.database, "UPDATE tripwire_users SET email = 'anna.before@example.com'")

    assert attempt(resources, second) is Outcome.DUPLICATE

    assert resources.requests.get(second).error == "This auth user is a customer already."
    assert len(rows(resources.database, "SELECT 1 FROM sales")) == 1
    assert len(rows(resources.database, "SELECT 1 FROM outbox WHERE channel = 'mail'")) == 1, "never a second mail"


def accept_beside(resources: Resources, staff_id: UUID) -> UUID:
    """A second request for the address, with the constraint and the check that would refuse it taken away."""
    rows(resources.database, "DROP INDEX one_live_request_per_email")
    request_id = uuid4()
    rows(
        resources.database,
        "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, mode, due_at)"
        " VALUES (%s, 'anna@example.com', 'Anna K.', 5000, 'KZT', %s, 'async', now())",
        request_id, staff_id,
    )  # fmt: skip
    return request_id
