"""A request that always fails uses exactly its attempts, with growing pauses, and ends visible and retryable."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.attempts import attempt, attempt_due, give_up_exhausted
from tests.identity_server import IdentityServer
from tests.invariants import assert_nothing_broken
from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.provisioning.provision import Outcome
from tripwire_shared.requests.attempt_rules import AttemptRules
from tripwire_shared.requests.request import EmailTaken

Build = Callable[..., Resources]


REFUSES = """
    CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poison'; END $$;
    CREATE TRIGGER refuses BEFORE INSERT ON sales FOR EACH ROW EXECUTE FUNCTION refuses();
"""


def test_three_attempts_then_failed_with_an_alert(build: Build, staff_id: UUID) -> None:
    resources = build()
    rows(resources.database, REFUSES)
    request_id = accept(resources, staff_id)

    assert attempt(resources, request_id) is Outcome.TRY_AGAIN
    assert _pause(resources) == pytest.approx(2, abs=0.5)
    _make_due(resources)
    assert [one.outcome for one in attempt_due(resources)] == [Outcome.TRY_AGAIN]
    assert _pause(resources) == pytest.approx(4, abs=0.5)
    _make_due(resources)
    assert [one.outcome for one in attempt_due(resources)] == [Outcome.FAILED]

    found = resources.requests.get(request_id)
    assert (found.status, found.attempts) == ("failed", 3)
    assert found.error == "The database refused (RaiseException)."
    [event] = rows(resources.database, "SELECT event_type FROM system_health_logs")
    assert event.event_type == "CRITICAL"
    assert len(rows(resources.database, "SELECT 1 FROM outbox WHERE channel = 'alert'")) == 1
    assert_nothing_broken(resources.settings.database_url)


def test_a_retry_resumes(build: Build, staff_id: UUID, identity_server: IdentityServer) -> None:
    resources = build(job_max_attempts=1, **identity_server.settings)
    rows(resources.database, REFUSES)
    request_id = accept(resources, staff_id, password="a good password")
    assert attempt(resources, request_id) is Outcome.FAILED
    rows(resources.database, "DROP TRIGGER refuses ON sales")

    resources.requests.retry(request_id, staff_id)

    assert [one.outcome for one in attempt_due(resources)] == [Outcome.PROVISIONED]
    assert identity_server.keys == {"service-role-of-tests"}
    assert len(rows(resources.database, "SELECT 1 FROM auth.users")) == 1
    assert_nothing_broken(resources.settings.database_url)


def test_an_auth_user_made_by_an_earlier_attempt_is_taken_on(
    build: Build, staff_id: UUID, identity_server: IdentityServer
) -> None:
    resources = build(**identity_server.settings)
    request_id = accept(resources, staff_id)
    [claim] = resources.claims.claim([request_id], door=Door.QUEUE)
    resources.identity.prepare(claim, None)  # the process dies after this
    _make_due(resources)

    assert [one.outcome for one in attempt_due(resources)] == [Outcome.PROVISIONED]

    assert len(rows(resources.database, "SELECT 1 FROM auth.users")) == 1
    assert_nothing_broken(resources.settings.database_url)


def test_a_process_that_dies_in_its_last_attempt_ends_as_failed(build: Build, staff_id: UUID) -> None:
    resources = build(job_max_attempts=1)
    request_id = accept(resources, staff_id)
    assert resources.claims.claim([request_id], door=Door.QUEUE)
    assert give_up_exhausted(resources) == 0, "while its lease lasts it may be working"
    _make_due(resources)
    assert resources.claims.claim_due(1, door=Door.SWEEP) == [], "no attempt is left"

    assert give_up_exhausted(resources) == 1

    found = resources.requests.get(request_id)
    assert (found.status, found.error) == (
        "failed",
        "Its last attempt ended without a word: the process that worked on it died or hung.",
    )


def test_a_retry_yields_to_who_has_the_address_by_now(build: Build, staff_id: UUID) -> None:
    resources = build(job_max_attempts=1)
    rows(resources.database, REFUSES)
    failed = accept(resources, staff_id)
    assert attempt(resources, failed) is Outcome.FAILED
    rows(resources.database, "DROP TRIGGER refuses ON sales")
    assert attempt(resources, accept(resources, staff_id)) is Outcome.PROVISIONED

    with pytest.raises(EmailTaken):
        resources.requests.retry(failed, staff_id)


def test_the_pauses_double() -> None:
    rules = AttemptRules(3, 2, 5)
    assert [rules.pause_after(attempts) for attempts in (1, 2, 3)] == [2, 4, 8]


def _pause(resources: Resources) -> float:
    [row] = rows(
        resources.database, "SELECT extract(epoch FROM due_at - now())::float8 AS seconds FROM provisioning_requests"
    )
    return float(row.seconds)


def _make_due(resources: Resources) -> None:
    rows(resources.database, "UPDATE provisioning_requests SET due_at = now() WHERE status = 'accepted'")
