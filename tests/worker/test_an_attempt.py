"""One attempt: all rows in one transaction, or none; a repeated one changes nothing."""

from collections.abc import Callable
from uuid import UUID

from tests.attempts import attempt, attempt_due
from tests.invariants import assert_nothing_broken
from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.provisioning.provision import Outcome

Build = Callable[..., Resources]


def test_makes_all_rows_of_a_customer(build: Build, staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id)

    assert attempt(resources, request_id) is Outcome.PROVISIONED

    found = resources.requests.get(request_id)
    assert (found.status, found.attempts, found.welcome_email) == ("provisioned", 1, "pending")
    assert rows(resources.database, "SELECT id FROM auth.users") == [(found.user_id,)]
    assert rows(resources.database, "SELECT user_id, granted_by FROM tripwire_users") == [(found.user_id, staff_id)]
    assert rows(resources.database, "SELECT amount, currency, manager_id FROM sales") == [(5000, "KZT", staff_id)]
    [activity] = rows(resources.database, "SELECT action FROM sales_activity_log WHERE request_id IS NOT NULL")
    assert activity.action == "customer created"
    assert rows(resources.database, "SELECT 1 FROM system_health_logs") == [], "its own timeline says it"
    assert_nothing_broken(resources.settings.database_url)


def test_a_second_one_finds_nothing_to_do(build: Build, staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id)
    attempt(resources, request_id)

    assert attempt(resources, request_id) is Outcome.NOT_MINE

    assert resources.requests.get(request_id).attempts == 1
    assert len(rows(resources.database, "SELECT 1 FROM sales")) == 1


def test_a_given_password_is_hashed_and_the_sealed_one_gone(build: Build, staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id, password="a good password")
    [waiting] = rows(resources.database, "SELECT sealed_password FROM provisioning_requests")
    assert "a good password" not in waiting.sealed_password

    attempt(resources, request_id)

    [request] = rows(resources.database, "SELECT sealed_password FROM provisioning_requests")
    assert request.sealed_password is None
    [user] = rows(resources.database, "SELECT encrypted_password FROM auth.users")
    assert resources.hasher.verify(user.encrypted_password, "a good password")
    assert rows(resources.database, "SELECT invitation_id FROM outbox") == [(None,)], "no link beside a password"


def test_a_hash_takes_the_password_s_place_before_anything_else_can_fail(build: Build, staff_id: UUID) -> None:
    """So a request that fails for good keeps no password, and one that is tried again is not hashed again."""
    resources = build(job_max_attempts=1)
    request_id = accept(resources, staff_id, password="a good password")
    rows(resources.database, "ALTER TABLE sales ADD CONSTRAINT refuses CHECK (amount < 0) NOT VALID")

    assert attempt(resources, request_id) is Outcome.FAILED

    [kept] = rows(resources.database, "SELECT sealed_password, password_hash FROM provisioning_requests")
    assert kept.sealed_password is None
    rows(resources.database, "ALTER TABLE sales DROP CONSTRAINT refuses")
    resources.requests.retry(request_id, staff_id)
    [again] = attempt_due(resources)
    assert again.outcome is Outcome.PROVISIONED
    assert rows(resources.database, "SELECT encrypted_password FROM auth.users") == [(kept.password_hash,)]
    assert rows(resources.database, "SELECT password_hash FROM provisioning_requests") == [(None,)]
    assert rows(resources.database, "SELECT invitation_id FROM outbox WHERE channel = 'mail'") == [(None,)]


def test_whose_claim_ran_out_commits_nothing(build: Build, staff_id: UUID) -> None:
    resources = build()
    request_id = accept(resources, staff_id)
    late = resources.claims.claim([request_id], door=Door.QUEUE)
    assert len(late) == 1
    rows(resources.database, "UPDATE provisioning_requests SET due_at = now()")
    taken_over = resources.claims.claim_due(1, door=Door.SWEEP)

    [lost] = resources.provisioning.provision(late, Door.QUEUE)
    assert lost.outcome is Outcome.NOT_MINE
    assert rows(resources.database, "SELECT 1 FROM tripwire_users") == []
    [made] = resources.provisioning.provision(taken_over, Door.SWEEP)
    assert made.outcome is Outcome.PROVISIONED
    assert_nothing_broken(resources.settings.database_url)
