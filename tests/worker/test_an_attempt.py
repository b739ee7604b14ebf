"""One attempt: all rows in one transaction, or none; a repeated one changes nothing."""

from collections.abc import Callable
from uuid import UUID

from tests.invariants import assert_nothing_broken
from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tripwire_shared.provisioning.provision import Door, Outcome

Build = Callable[..., Resources]


def test_makes_all_rows_of_a_customer(build: Build, staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id)

    assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.PROVISIONED

    found = resources.requests.get(request_id)
    assert (found.status, found.attempts, found.welcome_email) == ("provisioned", 1, "pending")
    assert rows(resources.database, "SELECT id FROM auth.users") == [(found.user_id,)]
    assert rows(resources.database, "SELECT user_id, granted_by FROM tripwire_users") == [(found.user_id, staff_id)]
    assert rows(resources.database, "SELECT amount, currency, manager_id FROM sales") == [(5000, "KZT", staff_id)]
    [activity] = rows(resources.database, "SELECT action FROM sales_activity_log WHERE request_id IS NOT NULL")
    assert activity.action == "customer created"
    [event] = rows(resources.database, "SELECT event_type, metadata::text AS text FROM system_health_logs")
    assert event.event_type == "INFO"
    assert "anna" not in event.text.lower()
    assert_nothing_broken(resources.settings.database_url)


def test_a_second_one_finds_nothing_to_do(build: Build, staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id)
    resources.provisioning.provision(request_id, Door.QUEUE)

    assert resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.NOT_MINE

    assert resources.requests.get(request_id).attempts == 1
    assert len(rows(resources.database, "SELECT 1 FROM sales")) == 1


def test_a_given_password_is_hashed_and_the_sealed_one_gone(build: Build, staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id, password="a good password")
    [waiting] = rows(resources.database, "SELECT sealed_password FROM provisioning_requests")
    assert "a good password" not in waiting.sealed_password

    resources.provisioning.provision(request_id, Door.QUEUE)

    [request] = rows(resources.database, "SELECT sealed_password FROM provisioning_requests")
    assert request.sealed_password is None
    [user] = rows(resources.database, "SELECT encrypted_password FROM auth.users")
    assert resources.hasher.verify(user.encrypted_password, "a good password")
    assert rows(resources.database, "SELECT invitation_id FROM outbox") == [(None,)], "no link beside a password"


def test_whose_claim_ran_out_commits_nothing(build: Build, staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id)
    late = resources.requests.claim(request_id, door=Door.QUEUE, fast_lane=True, fallback=False)
    assert late is not None
    rows(resources.database, "UPDATE provisioning_requests SET due_at = now()")
    [taken_over] = resources.requests.claim_due(1, door=Door.SWEEP)

    assert resources.provisioning.attempt(late, Door.QUEUE) is Outcome.NOT_MINE
    assert rows(resources.database, "SELECT 1 FROM tripwire_users") == []
    assert resources.provisioning.attempt(taken_over, Door.SWEEP) is Outcome.PROVISIONED
    assert_nothing_broken(resources.settings.database_url)
