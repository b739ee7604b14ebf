"""PostgreSQL stopped or frozen: 503 within 2 s and nothing kept; back within 5 s."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from deploy.local.postgres import PostgresServer
from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sql
from tests.api.test_create import ANNA, CREATE
from tests.invariants import count
from tests.waiting import wait_until
from tripwire_shared.events.causes import DATABASE

ANSWERED_WITHIN, SLACK, BACK_WITHIN = 2.0, 0.5, 5.0


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    server.stop()
    yield
    server.start()


@contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    """It neither answers nor hangs up."""
    postmaster = psutil.Process(server.child.pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("away", [stopped, frozen])
def test_503_and_then_as_if_nothing_had_been(
    api_for: Callable[..., ApiUnderTest], own_postgres: PostgresServer, away: Callable[..., Iterator[None]]
) -> None:
    api = api_for(database_url=own_postgres.url)
    manager = api.member("manager@example.com")
    key = {"Idempotency-Key": "k"}
    assert manager.post(CREATE, json={**ANNA, "email": "before@example.com"}).status_code == 202

    with away(own_postgres):
        for _ in range(3):
            began = time.monotonic()
            answer = manager.post(CREATE, json=ANNA, headers=key)
            assert time.monotonic() - began < ANSWERED_WITHIN + SLACK
            assert_problem(answer, 503)
            assert int(answer.headers["Retry-After"]) >= 1

    # A database that was silent is asked by one alone until it answers again; those in a hurry are refused meanwhile.
    first = {**ANNA, "email": "first@example.com"}
    wait_until(lambda: manager.post(CREATE, json=first).status_code == 202, BACK_WITHIN, what="202 again")
    statuses = [
        manager.post(CREATE, json={**ANNA, "email": f"{number}@example.com"}).status_code for number in range(10)
    ]
    assert statuses == [202] * 10
    assert manager.post(CREATE, json=ANNA, headers=key).status_code == 202
    assert count(own_postgres.url, "SELECT count(*) FROM provisioning_requests WHERE email = 'anna@example.com'") == 1


def test_a_restart_refuses_nobody(api_for: Callable[..., ApiUnderTest], own_postgres: PostgresServer) -> None:
    """All pooled connections are stale by then."""
    api = api_for(database_url=own_postgres.url)
    manager: Caller = api.member("manager@example.com")
    with ExitStack() as held:
        for _ in range(5):
            held.enter_context(api.resources.database.connection())
    own_postgres.stop()
    own_postgres.start()
    statuses = [
        manager.post(CREATE, json={**ANNA, "email": f"{number}@example.com"}).status_code for number in range(10)
    ]
    assert statuses == [202] * 10


STATES = {
    "53100": "full",
    "53200": "",
    "53400": "",
    "54000": "",
    "55000": "",
    "57P03": "",
    "58030": "",
    "42501": "rights",
}


@pytest.mark.parametrize("state", STATES)
def test_what_the_servers_state_refuses_is_503_and_told_once(api: ApiUnderTest, manager: Caller, state: str) -> None:
    """Only this table is refused: no probe sees it, but whoever creates does."""
    assert manager.post(CREATE, json=ANNA).status_code == 202
    sql(
        api,
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '{state}'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON provisioning_requests EXECUTE FUNCTION refuse()",
    )
    for number in range(3):
        answer = manager.post(CREATE, json={**ANNA, "email": f"{number}@example.com"})
        document = assert_problem(answer, 503)
        assert STATES[state] in document["detail"]
        assert int(answer.headers["Retry-After"]) >= 1
    if STATES[state]:
        told = "SELECT body FROM outbox WHERE channel = 'alert'"
        [alert] = wait_until(lambda: sql(api, told), 5, what="an alert")
        assert (alert.body["type"], alert.body["message"]) == ("CRITICAL", DATABASE.opened)
    sql(api, "DROP TRIGGER refuse ON provisioning_requests")
    assert manager.post(CREATE, json={**ANNA, "email": "after@example.com"}).status_code == 202
