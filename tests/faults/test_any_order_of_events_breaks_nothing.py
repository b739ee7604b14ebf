"""Random orders of everything that can happen to requests, with a process' death after any answer of the database,
against the real database: no invariant is ever broken, and in the end every 2xx is kept.

`make test-faults ROUNDS=1000` tries more orders than the few that CI does.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg2
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.attempts import attempt_due, give_up_exhausted
from tests.faults.death import Death
from tests.invariants import BROKEN, assert_all_ended
from tests.resources import Resources, build_resources
from tests.worker.conftest import a_manager, rows
from tripwire_shared.answers.vocabulary import Door, Mode
from tripwire_shared.errors import Conflict, QueueUnavailable, TripwireError
from tripwire_shared.few_at_once import FewAtOnce
from tripwire_shared.intake.accept import Intake
from tripwire_shared.keys import Signer
from tripwire_shared.requests.request import Claim, KeyReused, NewCustomer
from tripwire_shared.settings import Settings

ORDERS = int(os.environ.get("FAULT_ROUNDS", "60")) // 2
EVENTS = 25

EMAILS = st.sampled_from([f"{name}@example.com" for name in ("anna", "berik", "dana")])
KEYS = st.sampled_from([None, None, "key-1", "key-2"])
# After how many answers of the database the process dies; mostly it lives.
DEATHS = st.one_of(st.none(), st.none(), st.integers(1, 25))
TABLES = (
    "provisioning_requests, request_steps, tripwire_users, sales, sales_activity_log, invitations, outbox,"
    " system_health_logs, auth.users, broken"
)
# An e-mail in `broken` fails each attempt for it.
BREAKABLE = """
    CREATE TABLE broken (email text PRIMARY KEY);
    CREATE FUNCTION fail_broken() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM broken WHERE email = NEW.email) THEN RAISE EXCEPTION 'broken'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER fail_broken BEFORE INSERT ON tripwire_users FOR EACH ROW EXECUTE FUNCTION fail_broken();
"""


class QueueInMemory:
    """What RQ does for us, with its troubles: a job may be refused, or be taken although the answer was lost."""

    def __init__(self) -> None:
        self.jobs: list[UUID] = []
        self.trouble = "none"

    def push(self, request_ids: Sequence[UUID]) -> None:
        if self.trouble != "refused":
            self.jobs += request_ids
        if self.trouble != "none":
            raise QueueUnavailable

    def call(self, function: Callable[[], None]) -> None:
        """Stands in for the breaker too: it is another test's."""
        function()

    state = "closed"


class World(RuleBasedStateMachine):
    """No rule has a precondition: what is there depends on the database's clock too, and hypothesis wants to draw the
    same each time. A rule that has nothing to work on does nothing."""

    resources: ClassVar[Resources]
    death: ClassVar[Death]
    staff_id: ClassVar[UUID]
    looking: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.queue = QueueInMemory()
        parts, queue = self.resources, self.queue
        fingerprints = Signer(parts.settings.secret_keys, "request fingerprints")
        self.intake = Intake(
            parts.requests, parts.mode_cache, queue, queue, parts.provisioning, None, fingerprints, parts.writer,  # type: ignore[arg-type]
            FewAtOnce(1), parts.tracer,
        )  # fmt: skip
        self.told: dict[UUID, int] = {}
        self.by_key: dict[str, UUID] = {}
        self.held: list[list[Claim]] = []

    @initialize(emails=st.lists(EMAILS, min_size=2, unique=True))
    def some_were_created(self, emails: list[str]) -> None:
        """Or half of all orders end before anybody asked for anything."""
        for email, key in zip(emails, ("key-1", "key-2", None), strict=False):
            self.create(email, key, "none", None)

    @rule(email=EMAILS, key=KEYS, trouble=st.sampled_from(["none", "none", "refused", "lost answer"]), death=DEATHS)
    def create(self, email: str, key: str | None, trouble: str, death: int | None) -> None:
        self.queue.trouble = trouble
        customer = NewCustomer(email, "Anna K.", None, 5000, "KZT")
        with self.death.after(death):
            try:
                accepted = self.intake.accept(customer, self.staff_id, key)
            except (Conflict, KeyReused):
                return
            if key is not None:
                assert self.by_key.setdefault(key, accepted.request_id) == accepted.request_id
            self.told[accepted.request_id] = 202 if accepted.user_id is None else 201
            found = self.resources.requests.get(accepted.request_id)
            assert accepted.user_id is None or found.user_id == accepted.user_id

    @rule(pick=st.integers(0, 99), count=st.integers(1, 4), again=st.booleans(), death=DEATHS)
    def take_jobs(self, pick: int, count: int, again: bool, death: int | None) -> None:
        """As a set. `again`: the queue hands them out a second time later."""
        taken = self._take(pick, count)
        if again:
            self.queue.jobs += taken
        with self.death.after(death):
            self.resources.provisioning.provision_new(taken, Door.QUEUE)

    @rule(pick=st.integers(0, 99), count=st.integers(1, 4))
    def take_jobs_and_die(self, pick: int, count: int) -> None:
        """They are nowhere in the queue any more, and nobody has claimed them."""
        self._take(pick, count)

    @rule(pick=st.integers(0, 99), count=st.integers(1, 4))
    def claim_and_hang(self, pick: int, count: int) -> None:
        if claims := self.resources.claims.claim(self._take(pick, count), door=Door.QUEUE):
            self.held.append(claims)

    @rule(pick=st.integers(0, 99), death=DEATHS)
    def go_on_with_a_claim(self, pick: int, death: int | None) -> None:
        """However much time has passed, and whoever has it by now."""
        if not self.held:
            return
        with self.death.after(death):
            self.resources.provisioning.provision(self.held.pop(pick % len(self.held)), Door.QUEUE)

    @rule(count=st.integers(1, 4), death=DEATHS)
    def look_as_the_sweep(self, count: int, death: int | None) -> None:
        with self.death.after(death):
            self._sweep(count)

    @rule(death=DEATHS)
    def deliver_a_mail(self, death: int | None) -> None:
        with self.death.after(death):
            self.resources.mails.run_once()

    @rule(seconds=st.sampled_from([1, 6, 40, 400]))
    def let_time_pass(self, seconds: int) -> None:
        for table, columns in (
            ("provisioning_requests", ("due_at", "accepted_at", "finished_at")),
            ("outbox", ("due_at", "ready_at", "created_at")),
        ):
            earlier = ", ".join(f"{column} = {column} - interval '{seconds} s'" for column in columns)
            rows(self.resources.database, f"UPDATE {table} SET {earlier}")

    @rule(pick=st.integers(0, 99), death=DEATHS)
    def retry_a_failed_one(self, pick: int, death: int | None) -> None:
        failed = rows(self.resources.database, "SELECT id FROM provisioning_requests WHERE status = 'failed'")
        if failed:
            with self.death.after(death):
                try:
                    self.resources.requests.retry(failed[pick % len(failed)].id, self.staff_id)
                except TripwireError:
                    return

    @rule(pick=st.integers(0, 99), death=DEATHS)
    def erase_a_customer(self, pick: int, death: int | None) -> None:
        """Afterwards the address and the keys used for it are free again."""
        database = self.resources.database
        customers = rows(database, "SELECT user_id FROM tripwire_users ORDER BY created_at")
        if not customers:
            return
        with self.death.after(death):
            self.resources.erasure.erase(customers[pick % len(customers)].user_id, self.staff_id)
        kept = rows(database, "SELECT id FROM provisioning_requests WHERE idempotency_key IS NOT NULL")
        self.by_key = {key: one for key, one in self.by_key.items() if one in {row.id for row in kept}}

    def _take(self, pick: int, count: int) -> list[UUID]:
        """Up to `count` jobs off the queue, from one of its places on."""
        begin = pick % len(self.queue.jobs) if self.queue.jobs else 0
        taken = self.queue.jobs[begin : begin + count]
        del self.queue.jobs[begin : begin + count]
        return taken

    def _sweep(self, at_most: int) -> int:
        return give_up_exhausted(self.resources) + len(attempt_due(self.resources, at_most))

    @rule(mode=st.sampled_from(list(Mode)), death=DEATHS)
    def switch(self, mode: Mode, death: int | None) -> None:
        store = self.resources.mode_store
        with self.death.after(death):
            store.switch(mode, reason=None, changed_by="test", staff_id=self.staff_id, expected_version=None)
        self.resources.mode_cache.store(store.read())

    @rule(email=EMAILS)
    def somebody_else_makes_the_auth_user(self, email: str) -> None:
        rows(
            self.resources.database,
            "INSERT INTO auth.users (id, email) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            uuid4(), email,
        )  # fmt: skip

    @rule(email=EMAILS, broken=st.booleans())
    def break_or_repair(self, email: str, broken: bool) -> None:
        change = (
            "INSERT INTO broken VALUES (%s) ON CONFLICT DO NOTHING" if broken else "DELETE FROM broken WHERE email = %s"
        )
        rows(self.resources.database, change, email)

    @invariant()
    def nothing_is_broken(self) -> None:
        for promise, query in BROKEN.items():
            self.looking.execute(query)
            assert self.looking.fetchall() == [], promise

    def teardown(self) -> None:
        database = self.resources.database
        rows(database, "DELETE FROM broken")
        for _ in range(20):
            self.let_time_pass(400)
            while self._sweep(4) or self.resources.mails.run_once():
                pass
        self.nothing_is_broken()
        assert_all_ended(self.resources.settings.database_url, [str(request_id) for request_id in self.told])
        rows(database, f"TRUNCATE {TABLES} CASCADE")
        self.queue.jobs.clear()


@pytest.mark.timeout(60 + 2 * ORDERS)
def test_no_order_of_events_breaks_an_invariant(
    settings_for: Callable[..., Settings], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # mails land there
    resources = build_resources(
        settings_for(worker_rate_limit=0, job_max_attempts=2, log_level="error", log_format="json"), service="api"
    )
    World.resources = resources
    World.staff_id = a_manager(resources.database)
    rows(resources.database, BREAKABLE)
    World.death = Death()
    connection = psycopg2.connect(resources.settings.database_url)
    connection.autocommit = True
    World.looking = connection.cursor()
    try:
        run_state_machine_as_test(
            World,
            settings=settings(
                max_examples=ORDERS,
                stateful_step_count=EVENTS,
                deadline=None,
                database=None,
                derandomize="FAULT_ROUNDS" not in os.environ,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],  # no search for a shorter order: it takes minutes
            ),
        )
    finally:
        connection.close()
        resources.stop()
