"""Requests that come at the same moment are stored by one statement and queued by one pipeline, and yet each is
answered as if it had come alone: nobody pays for a neighbour, and nobody is told what is another's."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import pytest
from redis import Redis

from deploy.local.valkey import ValkeyServer
from tests.api.conftest import CREATE, ApiUnderTest, Caller, sql
from tests.invariants import assert_nothing_broken
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import RequestMode
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.intake.accept import Accepted
from tripwire_shared.postgres import database
from tripwire_shared.requests.request import EmailTaken, KeyReused, NewCustomer
from tripwire_shared.requests.request_store import NewRequest
from tripwire_shared.timings import LOCK_TIMEOUT_MS

FIRST, PATIENCE, MANY = "first@example.com", 20.0, 64
Told = Accepted | BaseException


def customer(email: str, price: int = 5000) -> NewCustomer:
    return NewCustomer(email, "Anna K.", None, price, "KZT")


@dataclass
class Groups:
    """Sends requests as one group: a first one is held at the database's door until all others wait behind it."""

    api: ApiUnderTest
    staff_id: UUID
    sizes: list[int] = field(default_factory=list)  # of each INSERT
    before_group: Callable[[], None] = lambda: None
    after_group: Callable[[], None] = lambda: None

    def together(self, *asked: NewCustomer | tuple[NewCustomer, str]) -> list[Told]:
        """What each of these is told, the key being the second of a pair."""
        with self.first_held() as (pool, go):
            told = [pool.submit(self.accept, *(one if isinstance(one, tuple) else (one, None))) for one in asked]
            waiting = self.api.resources.intake._group._calls._waiting
            wait_until(lambda: len(waiting) == len(asked))
            go.set()
            return [one.exception(PATIENCE) or one.result() for one in told]

    @contextmanager
    def first_held(self) -> Iterator[tuple[ThreadPoolExecutor, threading.Event]]:
        """A first request is at the database's door until the event is set; threads for others."""
        store, held, go = self.api.resources.requests, threading.Event(), threading.Event()
        accept = store.accept

        def door(news: Sequence[NewRequest]) -> set[UUID]:
            self.sizes.append(len(news))
            if news[0].customer.email == FIRST:
                held.set()
                assert go.wait(PATIENCE)
            if len(news) == 1:
                return set(accept(news))
            self.before_group()
            stored = accept(news)
            self.after_group()
            return set(stored)

        store.accept = door
        try:
            with ThreadPoolExecutor(MANY) as pool:
                first = pool.submit(self.accept, customer(FIRST), None)
                assert held.wait(PATIENCE)
                yield pool, go
                go.set()
                assert first.result(PATIENCE).email == FIRST
        finally:
            store.accept = accept

    def accept(self, customer: NewCustomer, key: str | None) -> Accepted:
        accepted: Accepted = self.api.resources.intake.accept(customer, self.staff_id, key)
        return accepted


@pytest.fixture
def groups(api: ApiUnderTest, manager: Caller) -> Groups:
    return Groups(api, UUID(manager.id))


def assert_queued(told: Told, email: str) -> UUID:
    assert isinstance(told, Accepted), told
    assert (told.email, told.mode, told.user_id, told.replayed) == (email, RequestMode.ASYNC, None, False)
    return told.request_id


def stored(api: ApiUnderTest) -> dict[str, UUID]:
    return {row.email: row.id for row in sql(api, "SELECT email, id FROM provisioning_requests")}


def queued(redis_url: str) -> list[UUID]:
    with Redis.from_url(redis_url) as redis:
        return [UUID(job.decode()) for job in redis.lrange("rq:queue:requests", 0, -1)]


def test_one_insert_and_one_pipeline_for_all(groups: Groups, api: ApiUnderTest, redis_url: str) -> None:
    pushes: list[int] = []
    push = api.resources.request_queue.push
    api.resources.request_queue.push = lambda ids: (pushes.append(len(ids)), push(ids))
    emails = [f"{number}@example.com" for number in range(6)]
    ids = [
        assert_queued(told, email) for told, email in zip(groups.together(*map(customer, emails)), emails, strict=True)
    ]
    assert (groups.sizes, pushes) == ([1, 6], [1, 6])
    assert {email: stored(api)[email] for email in emails} == dict(zip(emails, ids, strict=True))
    assert sorted(queued(redis_url)) == sorted(stored(api).values())


def test_rivals_go_their_way_alone(groups: Groups, api: ApiUnderTest, redis_url: str) -> None:
    intake, staff_id = api.resources.intake, groups.staff_id
    rival = intake.accept(customer("taken@example.com"), staff_id, None)
    keyed = intake.accept(customer("keyed@example.com"), staff_id, "a key")
    [auth_user] = sql(
        api, "INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), 'user@example.com') RETURNING id"
    )
    email, key, other_body, user, new = groups.together(
        customer("taken@example.com"),
        (customer("keyed@example.com"), "a key"), (customer("keyed@example.com", 1), "a key"),
        customer("user@example.com"), customer("new@example.com"),
    )  # fmt: skip
    assert isinstance(email, EmailTaken)
    assert email.request_id == rival.request_id
    assert key == Accepted(keyed.request_id, keyed.email, RequestMode.ASYNC, None, replayed=True)
    assert isinstance(other_body, KeyReused)
    assert isinstance(user, EmailTaken)
    assert user.user_id == auth_user.id
    assert_queued(new, "new@example.com")
    assert groups.sizes == [1, 5], "nobody tries again"
    assert sorted(queued(redis_url)) == sorted(stored(api).values())


def test_twice_the_same_inside(groups: Groups, api: ApiUnderTest, redis_url: str) -> None:
    """An e-mail twice: one is stored, the other is told which. A key twice: both are told the same."""
    *same_email, one, another = groups.together(
        customer("anna@example.com"), customer("anna@example.com"),
        (customer("twin@example.com"), "k"), (customer("twin@example.com"), "k"),
    )  # fmt: skip
    [taken] = [told for told in same_email if isinstance(told, EmailTaken)]
    [accepted] = [told for told in same_email if isinstance(told, Accepted)]
    assert taken.request_id == accepted.request_id == stored(api)["anna@example.com"]
    assert isinstance(one, Accepted)
    assert isinstance(another, Accepted)
    assert (one.request_id, one.mode) == (another.request_id, another.mode)
    assert sorted([one.replayed, another.replayed]) == [False, True]
    assert groups.sizes == [1, 4]
    assert sorted(queued(redis_url)) == sorted(stored(api).values())


def test_a_row_that_the_database_refuses_is_its_own_senders_matter(groups: Groups, api: ApiUnderTest) -> None:
    a, refused, b = groups.together(
        customer("a@example.com"), customer("bad@example.com", -1), customer("b@example.com")
    )
    assert_queued(a, "a@example.com")
    assert_queued(b, "b@example.com")
    assert isinstance(refused, psycopg2.errors.CheckViolation)
    assert sorted(groups.sizes) == [1, 1, 1, 1, 3]
    assert set(stored(api)) == {FIRST, "a@example.com", "b@example.com"}


def test_who_waits_for_a_lock_waits_alone(groups: Groups, api: ApiUnderTest, database_url: str) -> None:
    """Somebody else's transaction has the e-mail, and takes its time."""
    with psycopg2.connect(database_url) as holder, holder.cursor() as cursor:
        cursor.execute(
            "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, mode, due_at)"
            " VALUES (gen_random_uuid(), 'held@example.com', 'H', 1, 'KZT', %s, 'async', now())",
            (str(groups.staff_id),),
        )  # fmt: skip
        began = time.monotonic()
        ended: dict[str, float] = {}
        accept = groups.accept

        def timed(customer: NewCustomer, key: str | None) -> Accepted:
            try:
                return accept(customer, key)
            finally:
                ended[customer.email] = time.monotonic() - began

        groups.accept = timed  # type: ignore[method-assign]
        a, held, b = groups.together(customer("a@example.com"), customer("held@example.com"), customer("b@example.com"))
        holder.rollback()
    assert_queued(a, "a@example.com")
    assert_queued(b, "b@example.com")
    assert isinstance(held, DatabaseUnavailable)
    assert max(ended["a@example.com"], ended["b@example.com"]) < LOCK_TIMEOUT_MS / 1000 < ended["held@example.com"]


def test_a_connection_lost_before_the_commit(groups: Groups, api: ApiUnderTest, redis_url: str) -> None:
    sql(
        api,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE INSERT ON provisioning_requests FOR EACH ROW WHEN (NEW.email LIKE 'slow%%')"
        " EXECUTE FUNCTION slow()",
    )
    ended: list[Any] = []

    def end_it() -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        ended.append(wait_until(lambda: sql(api, query)))

    killer = threading.Thread(target=end_it)
    groups.before_group = killer.start
    emails = ["a@example.com", "slow@example.com", "z@example.com"]
    for told, email in zip(groups.together(*map(customer, emails)), emails, strict=True):
        assert_queued(told, email)
    killer.join()
    assert ended
    assert groups.sizes == [1, 3], "the store sends the same ids again"
    assert sorted(queued(redis_url)) == sorted(stored(api).values())


@pytest.fixture
def lose_the_answer() -> Iterator[Callable[[Callable[[], object]], None]]:
    """`lose_the_answer(committed)`: this thread's next statement is sent and done; once `committed()`, its connection
    leads nowhere."""
    wait, mine = psycopg2.extensions.get_wait_callback(), threading.local()

    def wait_or_lose(connection: Any) -> None:
        if (committed := getattr(mine, "committed", None)) is not None:
            del mine.committed
            wait_until(committed)
            near, far = socket.socketpair()
            far.close()
            os.dup2(near.fileno(), connection.fileno())
            near.close()
        wait(connection)

    psycopg2.extensions.set_wait_callback(wait_or_lose)
    yield lambda committed: setattr(mine, "committed", committed)
    psycopg2.extensions.set_wait_callback(wait)


def test_a_connection_lost_after_the_commit(
    groups: Groups, api: ApiUnderTest, redis_url: str, lose_the_answer: Callable[[Callable[[], object]], None]
) -> None:
    emails = [f"{number}@example.com" for number in range(4)]
    committed: list[dict[str, UUID]] = []

    def all_there() -> bool:
        committed.append(stored(api))
        return set(emails) <= set(committed[-1])

    groups.before_group = lambda: lose_the_answer(all_there)
    for told, email in zip(groups.together(*map(customer, emails)), emails, strict=True):
        assert assert_queued(told, email) == committed[-1][email], "stored before the answer was lost"
    assert groups.sizes == [1, 4]
    assert stored(api) == committed[-1]
    assert sorted(queued(redis_url)) == sorted(stored(api).values())


def test_redis_gone_between_row_and_push(
    api_for: Callable[..., ApiUnderTest], own_valkey: ValkeyServer, database_url: str
) -> None:
    api = api_for(redis_url=own_valkey.url)
    groups = Groups(api, UUID(api.member("manager@example.com").id))
    groups.after_group = own_valkey.stop
    emails = [f"{number}@example.com" for number in range(6)]
    for told, email in zip(groups.together(*map(customer, emails)), emails, strict=True):
        assert isinstance(told, Accepted), told
        assert (told.email, told.mode) == (email, RequestMode.FALLBACK)
        assert told.user_id is not None, "201"
    assert_nothing_broken(database_url)


def test_nobody_waits_behind_who_tries_a_silent_database(groups: Groups) -> None:
    with groups.first_held():
        database._silence._silent = True
        began = time.monotonic()
        try:
            with pytest.raises(DatabaseUnavailable):
                groups.accept(customer("a@example.com"), None)
        finally:
            database._silence.heard()
        assert time.monotonic() - began < 0.5


def test_who_waits_for_others_waits_within_its_own_budget(groups: Groups, api: ApiUnderTest) -> None:
    with groups.first_held():
        began = time.monotonic()
        with pytest.raises(DatabaseUnavailable), database.within(0.2):
            groups.accept(customer("a@example.com"), None)
        assert 0.2 <= time.monotonic() - began < 1.0
    assert set(stored(api)) == {FIRST}, "nothing was kept"


class Gone(BaseException):
    """The leader's thread is ended from outside."""


@pytest.mark.parametrize("when", ["before_group", "after_group"])
def test_a_leader_that_is_gone_takes_nobody_along(groups: Groups, api: ApiUnderTest, redis_url: str, when: str) -> None:
    def go() -> None:
        raise Gone

    setattr(groups, when, go)
    emails = [f"{number}@example.com" for number in range(5)]
    told = dict(zip(emails, groups.together(*map(customer, emails)), strict=True))
    [gone] = [email for email, answer in told.items() if isinstance(answer, Gone)]
    del told[gone]
    for email, answer in told.items():
        assert_queued(answer, email)
    assert {stored(api)[email] for email in told} <= set(queued(redis_url))
    assert (gone in stored(api)) is (when == "after_group")


def test_many_at_once_each_gets_its_own_answer(
    api_for: Callable[..., ApiUnderTest], redis_url: str, database_url: str
) -> None:
    api = api_for(web_threads=MANY, api_rate_limit=0)
    manager = api.member("manager@example.com")
    statements: list[int] = []
    accept = api.resources.requests.accept
    api.resources.requests.accept = lambda news: (statements.append(len(news)), accept(news))[1]

    def create(number: int) -> list[tuple[str, dict[str, Any]]]:
        own = Caller(api.client.application.test_client(), manager.token)
        told = []
        for turn in range(5):
            email = f"{number}.{turn}.{uuid4().hex}@example.com"
            answer = own.post(CREATE, json={"email": email, "full_name": "Anna K."})
            assert answer.status_code == 202, answer.text
            told.append((email, answer.get_json()))
        return told

    with ThreadPoolExecutor(MANY) as pool:
        told = [one for many in pool.map(create, range(MANY), timeout=50) for one in many]
    kept = stored(api)
    assert len(kept) == len(told) == MANY * 5
    assert all((body["email"], body["request_id"]) == (email, str(kept[email])) for email, body in told)
    assert sorted(queued(redis_url)) == sorted(kept.values())
    assert sum(statements) == len(told)
    assert len(statements) < len(told) / 2, "they went in groups"
