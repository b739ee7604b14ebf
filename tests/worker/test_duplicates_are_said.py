"""The three checks: recently done, somebody else's auth user, a customer already. Nothing is made, and it is said."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tripwire_shared.provisioning.customer_rules import Existing, judge
from tripwire_shared.provisioning.provision import Door, Outcome

REQUEST, USER = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("existing", "duplicate"),
    [
        (Existing(None, None, None, None), False),
        (Existing(USER, USER, str(REQUEST), None), True),
        (Existing(None, USER, None, None), True),
        (Existing(None, USER, str(uuid4()), None), True),
        (Existing(None, USER, str(REQUEST), USER), True),
    ],
)
def test_the_rules(existing: Existing, duplicate: bool) -> None:
    assert (judge(REQUEST, existing).duplicate is not None) is duplicate


def test_an_own_auth_user_without_customer_is_resumed() -> None:
    assert judge(REQUEST, Existing(None, USER, str(REQUEST), None)).resume == USER


def test_an_auth_user_that_somebody_else_made_meanwhile(build: Callable[..., Resources], staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id)
    rows(resources.database, "INSERT INTO auth.users (id, email) VALUES (%s, 'anna@example.com')", uuid4())

    assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.DUPLICATE

    found = resources.requests.get(request_id)
    assert (found.status, found.user_id, found.welcome_email) == ("duplicate", None, None)
    assert found.error == "An auth user with this e-mail address exists already."
    assert rows(resources.database, "SELECT 1 FROM sales") == []
    [event] = rows(resources.database, "SELECT event_type, message FROM system_health_logs")
    assert event == ("WARNING", "Already a customer, nothing created")


def test_an_address_that_only_looks_alike_is_nobody_else(build: Callable[..., Resources], staff_id: UUID) -> None:
    resources = build()
    for email in ("a_na@example.com", "anna@example.com.kz", "anxa@example.com"):
        assert resources.provisioning.provision(accept(resources, staff_id, email), Door.QUEUE) is Outcome.PROVISIONED


@pytest.mark.parametrize(("window", "said"), [(300, True), (0, False)])
def test_what_was_provisioned_moments_ago(
    build: Callable[..., Resources], staff_id: UUID, window: int, said: bool
) -> None:
    """Seen with the constraint beneath it taken away, and the auth user gone: else those speak first."""
    resources = build(idempotency_window_seconds=window)
    rows(resources.database, "DROP INDEX one_live_request_per_email")
    assert resources.provisioning.provision(accept(resources, staff_id), Door.QUEUE) is Outcome.PROVISIONED
    rows(resources.database, "DELETE FROM auth.users")
    second = accept(resources, staff_id)

    resources.provisioning.provision(second, Door.QUEUE)

    assert (resources.requests.get(second).error == "Provisioned moments ago by another request.") is said
    assert len(rows(resources.database, "SELECT 1 FROM outbox WHERE channel = 'mail'")) == 1, "never a second mail"
