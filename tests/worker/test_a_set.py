"""Requests are provisioned in sets: one statement for all, and nobody pays for a neighbour."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from tests.attempts import attempt_due
from tests.invariants import assert_nothing_broken
from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tripwire_shared.answers.vocabulary import Door
from tripwire_shared.provisioning.customer_store import CustomerStore
from tripwire_shared.provisioning.provision import Attempt, Outcome

Build = Callable[..., Resources]
REFUSES = """
    CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.email LIKE 'bad%%' THEN RAISE EXCEPTION 'poison'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER refuses BEFORE INSERT ON tripwire_users FOR EACH ROW EXECUTE FUNCTION refuses();
"""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests each statement that makes customers was for."""
    sizes: list[int] = []
    provision = CustomerStore.provision

    def counted(store: CustomerStore, claims: list[object], **more: object) -> object:
        sizes.append(len(claims))
        return provision(store, claims, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(CustomerStore, "provision", counted)
    return sizes


def accept_some(resources: Resources, staff_id: UUID, count: int) -> list[UUID]:
    return [accept(resources, staff_id, f"anna{number}@example.com") for number in range(count)]


def outcomes(attempts: list[Attempt]) -> dict[UUID, Outcome]:
    return {attempt.request_id: attempt.outcome for attempt in attempts}


def test_one_statement_makes_all_of_them(build: Build, staff_id: UUID, statements: list[int]) -> None:
    resources = build()
    ids = accept_some(resources, staff_id, 30)

    attempts = resources.provisioning.provision_new(ids, Door.QUEUE)

    assert outcomes(attempts) == dict.fromkeys(ids, Outcome.PROVISIONED)
    assert statements == [30]
    for attempt in attempts:
        assert resources.requests.get(attempt.request_id).user_id == attempt.user_id
    assert_nothing_broken(resources.settings.database_url)


def test_one_poison_member_fails_alone(build: Build, staff_id: UUID, statements: list[int]) -> None:
    resources = build()
    rows(resources.database, REFUSES)
    good, bad = accept_some(resources, staff_id, 5), accept(resources, staff_id, "bad@example.com")

    attempts = resources.provisioning.provision_new([*good, bad], Door.QUEUE)

    assert outcomes(attempts) == {**dict.fromkeys(good, Outcome.PROVISIONED), bad: Outcome.TRY_AGAIN}
    assert statements == [6, *[1] * 6]
    found = resources.requests.get(bad)
    assert (found.attempts, found.error) == (1, "The database refused (RaiseException).")
    assert_nothing_broken(resources.settings.database_url)


def test_one_duplicate_and_one_resumed_member(build: Build, staff_id: UUID, statements: list[int]) -> None:
    resources = build()
    ids = accept_some(resources, staff_id, 4)
    own = uuid4()
    rows(resources.database, "INSERT INTO auth.users (id, email) VALUES (%s, 'anna1@example.com')", uuid4())
    rows(
        resources.database,
        "INSERT INTO auth.users (id, email, raw_app_meta_data)"
        " VALUES (%s, 'anna2@example.com', jsonb_build_object('tripwire_request_id', %s::text))",
        own, ids[2],
    )  # fmt: skip

    found = outcomes(resources.provisioning.provision_new(ids, Door.QUEUE))

    assert [found[one] for one in ids] == [
        Outcome.PROVISIONED, Outcome.DUPLICATE, Outcome.PROVISIONED, Outcome.PROVISIONED,
    ]  # fmt: skip
    assert statements == [4]
    assert resources.requests.get(ids[2]).user_id == own
    [event] = rows(resources.database, "SELECT event_type, metadata FROM system_health_logs")
    assert (event.event_type, event.metadata["request_id"]) == ("WARNING", str(ids[1]))
    assert_nothing_broken(resources.settings.database_url)


def test_a_member_that_another_took_meanwhile_is_left_to_it(build: Build, staff_id: UUID) -> None:
    resources = build()
    ids = accept_some(resources, staff_id, 3)
    claims = resources.claims.claim(ids, door=Door.QUEUE)
    rows(resources.database, "UPDATE provisioning_requests SET due_at = now() WHERE id = %s", ids[1])
    taken_over = resources.claims.claim_due(1, door=Door.SWEEP)

    found = outcomes(resources.provisioning.provision(claims, Door.QUEUE))

    assert [found[one] for one in ids] == [Outcome.PROVISIONED, Outcome.NOT_MINE, Outcome.PROVISIONED]
    assert outcomes(resources.provisioning.provision(taken_over, Door.SWEEP)) == {ids[1]: Outcome.PROVISIONED}
    assert_nothing_broken(resources.settings.database_url)


def test_an_auth_user_that_appears_under_way_is_looked_at_again_alone(
    build: Build, staff_id: UUID, statements: list[int]
) -> None:
    """Made by a trigger between the statement's checks and its insert: the statement itself cannot see it."""
    resources = build()
    rows(
        resources.database,
        """CREATE FUNCTION is_faster() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN
               IF NEW.email = 'anna1@example.com' AND NEW.raw_app_meta_data IS NOT NULL THEN
                   INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), NEW.email) ON CONFLICT DO NOTHING;
               END IF;
               RETURN NEW;
           END $$;
           CREATE TRIGGER is_faster BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION is_faster()""",
    )
    ids = accept_some(resources, staff_id, 3)

    found = outcomes(resources.provisioning.provision_new(ids, Door.QUEUE))

    assert [found[one] for one in ids] == [Outcome.PROVISIONED, Outcome.DUPLICATE, Outcome.PROVISIONED]
    assert statements == [3, 1]
    assert_nothing_broken(resources.settings.database_url)


def test_who_was_tried_before_goes_alone(build: Build, staff_id: UUID) -> None:
    """It may be what killed its process: it takes nobody's second attempt with it."""
    resources = build()
    ids = accept_some(resources, staff_id, 4)
    assert len(resources.claims.claim(ids[:2], door=Door.QUEUE)) == 2  # and their process dies
    for number, request_id in enumerate(ids):
        overdue = f"{9 - number} s"
        rows(
            resources.database, "UPDATE provisioning_requests SET due_at = now() - %s::interval WHERE id = %s",
            overdue, request_id,
        )  # fmt: skip

    taken = [[claim.request_id for claim in resources.claims.claim_due(10, door=Door.SWEEP)] for _ in range(4)]

    assert taken[:2] == [[ids[0]], [ids[1]]]
    assert set(taken[2]) == {ids[2], ids[3]}
    assert taken[3] == []


def test_the_queue_takes_new_ones_only(build: Build, staff_id: UUID) -> None:
    resources = build()
    ids = accept_some(resources, staff_id, 2)
    resources.claims.claim(ids[:1], door=Door.QUEUE)
    rows(resources.database, "UPDATE provisioning_requests SET due_at = now()")
    assert resources.claims.claimable(ids) == 1
    assert [claim.request_id for claim in resources.claims.claim(ids, door=Door.QUEUE)] == [ids[1]]


def test_a_slow_member_costs_the_others_one_limit_and_no_attempt(
    build: Build, staff_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tripwire_shared.provisioning.provision.SET_STATEMENT_LIMIT", 0.5)
    resources = build()
    rows(
        resources.database,
        """CREATE FUNCTION is_slow() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN IF NEW.email = 'anna0@example.com' THEN PERFORM pg_sleep(9); END IF; RETURN NEW; END $$;
           CREATE TRIGGER is_slow BEFORE INSERT ON tripwire_users FOR EACH ROW EXECUTE FUNCTION is_slow()""",
    )
    ids = accept_some(resources, staff_id, 4)

    found = outcomes(resources.provisioning.provision_new(ids, Door.QUEUE))

    assert [found[one] for one in ids] == [Outcome.TRY_AGAIN, *[Outcome.PROVISIONED] * 3]
    assert resources.requests.get(ids[0]).attempts == 0
    assert_nothing_broken(resources.settings.database_url)


def test_passwords_in_a_set_are_hashed_before_it_and_hold_up_nobody_else(
    build: Build, staff_id: UUID, statements: list[int]
) -> None:
    resources = build()
    plain = accept_some(resources, staff_id, 3)
    given = [accept(resources, staff_id, f"own{number}@example.com", f"password {number}") for number in range(3)]

    attempts = resources.provisioning.provision_new([*plain, *given], Door.QUEUE)

    assert set(outcomes(attempts).values()) == {Outcome.PROVISIONED}
    assert statements[0] == 3, "those without a password first"
    assert sum(statements) == 6
    for number, request_id in enumerate(given):
        [user] = rows(
            resources.database, "SELECT encrypted_password FROM auth.users WHERE id = %s",
            resources.requests.get(request_id).user_id,
        )  # fmt: skip
        assert resources.hasher.verify(user.encrypted_password, f"password {number}")
    assert_nothing_broken(resources.settings.database_url)


def test_the_sweep_s_set_is_the_same(build: Build, staff_id: UUID, statements: list[int]) -> None:
    resources = build()
    ids = accept_some(resources, staff_id, 12)
    rows(resources.database, "UPDATE provisioning_requests SET due_at = now()")
    assert len(attempt_due(resources, 10)) == 10
    assert len(attempt_due(resources, 10)) == 2
    assert statements == [10, 2]
    assert all(resources.requests.get(one).finished for one in ids)
