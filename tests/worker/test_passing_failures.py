"""What fails for a passing reason uses up no attempt (contract, section 3): it is tried again, after longer and longer
pauses, and fails for good only after an hour of that."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest

from deploy.local.postgres import PostgresServer
from tests.attempts import attempt, attempt_due
from tests.identity_server import IdentityServer
from tests.invariants import assert_nothing_broken
from tests.resources import Resources
from tests.waiting import wait_until
from tests.worker.conftest import a_manager, accept, rows
from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.provisioning.provision import Outcome
from tripwire_shared.requests.attempt_rules import AttemptRules

Build = Callable[..., Resources]
SLOW_SALES = """
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(9); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE INSERT ON sales FOR EACH ROW EXECUTE FUNCTION slow();
"""


def let_pass(resources: Resources, seconds: float) -> None:
    """As if so much time had passed."""
    rows(
        resources.database,
        "UPDATE provisioning_requests SET due_at = due_at - %s * interval '1 s',"
        " passing_since = passing_since - %s * interval '1 s'",
        seconds, seconds,
    )  # fmt: skip


def test_the_pauses_grow_to_a_minute() -> None:
    rules = AttemptRules(3, 2, 5)
    assert [rules.pause_after_passing(failures, None) for failures in (1, 2, 3, 5, 6, 400)] == [2, 4, 8, 32, 60, 60]
    assert rules.pause_after_passing(1, 17) == 17
    assert rules.pause_after_passing(1, 10**9) == 3600, "nobody may put a request off for good"


def test_they_use_up_no_attempt_however_many_they_are(
    build: Build, staff_id: UUID, identity_server: IdentityServer
) -> None:
    resources = build(**identity_server.settings)
    identity_server.refuse_with = 503
    request_id = accept(resources, staff_id)
    assert attempt(resources, request_id) is Outcome.TRY_AGAIN
    for _ in range(8):
        let_pass(resources, 61)
        assert [one.outcome for one in attempt_due(resources)] == [Outcome.TRY_AGAIN]
    found = resources.requests.get(request_id)
    assert (found.status, found.attempts, found.error) == ("accepted", 0, "The identity provider answered 503.")
    assert rows(resources.database, "SELECT 1 FROM system_health_logs") == []

    identity_server.refuse_with = None
    let_pass(resources, 61)
    assert [one.outcome for one in attempt_due(resources)] == [Outcome.PROVISIONED]
    assert resources.requests.get(request_id).attempts == 1


def test_after_an_hour_it_fails_like_any_other(build: Build, staff_id: UUID, identity_server: IdentityServer) -> None:
    resources = build(**identity_server.settings)
    identity_server.refuse_with = 503
    request_id = accept(resources, staff_id)
    attempt(resources, request_id)
    let_pass(resources, 3590)
    assert [one.outcome for one in attempt_due(resources)] == [Outcome.TRY_AGAIN]
    let_pass(resources, 61)

    assert [one.outcome for one in attempt_due(resources)] == [Outcome.FAILED]

    assert resources.requests.get(request_id).status == "failed"
    assert len(rows(resources.database, "SELECT 1 FROM outbox WHERE channel = 'alert'")) == 1
    identity_server.refuse_with = None
    resources.requests.retry(request_id, staff_id)
    assert [one.outcome for one in attempt_due(resources)] == [Outcome.PROVISIONED]
    assert_nothing_broken(resources.settings.database_url)


def test_another_failure_ends_the_row_of_passing_ones(
    build: Build, staff_id: UUID, identity_server: IdentityServer
) -> None:
    resources = build(**identity_server.settings)
    identity_server.refuse_with = 503
    request_id = accept(resources, staff_id)
    attempt(resources, request_id)
    identity_server.refuse_with = 400
    let_pass(resources, 61)
    attempt_due(resources)
    [row] = rows(resources.database, "SELECT attempts, passing_failures, passing_since FROM provisioning_requests")
    assert row == (1, 0, None)
    assert resources.requests.get(request_id).error == "The identity provider answered 400."


@pytest.mark.parametrize("how", ["stopped", "slow"])
def test_an_outage_of_postgresql_in_mid_attempt_is_noted_when_it_is_back(
    own_postgres: PostgresServer, build: Build, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Written by the process that met it; the attempt that the claim counted is given back."""
    monkeypatch.setattr("tripwire_shared.provisioning.provision.SET_STATEMENT_LIMIT", 0.5)
    resources = build(database_url=own_postgres.url)
    staff_id = a_manager(resources.database)
    ids = [accept(resources, staff_id, f"anna{number}@example.com") for number in range(3)]
    claims = resources.claims.claim(ids, door=Door.QUEUE)
    resources.writer.start()
    if how == "stopped":
        own_postgres.stop()
    else:
        rows(resources.database, SLOW_SALES)

    attempts = resources.provisioning.provision(claims, Door.QUEUE)

    assert {one.outcome for one in attempts} == {Outcome.TRY_AGAIN}
    if how == "stopped":
        own_postgres.start()
    else:
        rows(resources.database, "DROP TRIGGER slow ON sales")
    wait_until(lambda: _attempts(resources) == [0, 0, 0], 10, what="the attempts are given back")
    let_pass(resources, 61)
    while attempt_due(resources):
        pass
    assert all(resources.requests.get(one).status == "provisioned" for one in ids)
    assert_nothing_broken(own_postgres.url)
    resources.writer.stop(2)


def test_a_row_that_is_locked_puts_its_own_off_and_no_other(
    build: Build, staff_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that somebody else's long transaction holds."""
    resources = build()
    ids = [accept(resources, staff_id, f"anna{number}@example.com") for number in range(3)]
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with resources.database.transaction() as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), 'anna1@example.com')")
            held.set()
            done.wait(20)
            connection.rollback()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)
    try:
        attempts = resources.provisioning.provision_new(ids, Door.QUEUE)
    finally:
        done.set()
        holder.join(5)

    found = {one.request_id: one.outcome for one in attempts}
    assert [found[one] for one in ids] == [Outcome.PROVISIONED, Outcome.TRY_AGAIN, Outcome.PROVISIONED]
    assert resources.requests.get(ids[1]).attempts == 0


def _attempts(resources: Resources) -> list[int] | None:
    try:
        return [row.attempts for row in rows(resources.database, "SELECT attempts FROM provisioning_requests")]
    except DatabaseUnavailable:
        return None
