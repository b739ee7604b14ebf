"""SIGTERM, SIGHUP and a rolling restart under twenty creates a second over kept-alive connections: each request sent
is answered 2xx, at its first try, and none is lost or done twice.

What a client has to do for it: go on to another address where a connection is refused (nothing was sent yet), and open
a new connection where the last answer said `Connection: close` or the old one was closed meanwhile; every HTTP library
and proxy does the second by itself.
"""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest
import requests

from deploy.local.child import Child
from tests.faults.load import Load
from tests.faults.processes import api_processes, sweep_of, worker_of
from tests.invariants import assert_all_kept, assert_mails_arrived, count, wait_until_settled
from tests.local_run import LocalRun
from tests.sales_manager import Manager
from tests.stack import ADMIN_EMAIL, Stack
from tests.waiting import wait_until

SLOW_TO_STORE = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE INSERT ON provisioning_requests FOR EACH ROW EXECUTE FUNCTION slow()"""
# What nobody has touched since bears the mark of the transaction that stored it.
STATEMENTS = "SELECT count(DISTINCT xmin::text) FROM provisioning_requests"
MORE_THAN_ONE_ATTEMPT = "SELECT count(*) FROM provisioning_requests WHERE attempts <> 1"


def test_an_api_reloads_without_a_failed_request(stack: Stack, measured: Callable[[str, float], None]) -> None:
    api = stack.start_api(processes=2)
    token = stack.log_in()
    old = {process.pid for process in api_processes(api)}

    with Load([stack.api_url], token) as load:
        time.sleep(1)
        api.signal(signal.SIGHUP)
        wait_until(lambda: not old & {process.pid for process in api_processes(api)}, 30, what="other processes")
        time.sleep(1)

    _assert_each_sent_once_and_accepted(load)
    measured("reload: slowest answer (s)", max(seen.took for seen in load.tries))
    assert len(api_processes(api)) == 2


def test_apis_are_replaced_one_by_one_without_a_failed_request(stack: Stack) -> None:
    urls = [_start_api(stack), _start_api(stack)]
    first, second = stack.children
    token = stack.log_in()
    with Load(urls, token) as load:
        for api, url in ((first, urls[0]), (second, urls[1])):
            time.sleep(0.5)
            _stop_in_order(api, 10)
            api.start()
            wait_until(lambda url=url: _ready(url), 20, what=f"{url} again")

    _assert_each_sent_once_and_accepted(load)


@pytest.mark.long
def test_groups_of_accepts_under_way_are_answered(stack: Stack) -> None:
    """At a reload and at a stop: whoever leads a group, or waits for one, has its answer before its process ends."""
    url = stack.environ["DATABASE_URL"]
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(SLOW_TO_STORE)  # so that many come while one is stored
    urls = [_start_api(stack), _start_api(stack)]
    first, second = stack.children
    old = {process.pid for process in api_processes(first)}
    with Load(urls, stack.log_in(), per_second=200) as load:
        time.sleep(1)
        first.signal(signal.SIGHUP)
        wait_until(lambda: not old & {process.pid for process in api_processes(first)}, 30, what="another process")
        _stop_in_order(second, 10)
        time.sleep(0.5)

    _assert_each_sent_once_and_accepted(load)
    assert count(url, STATEMENTS) < 0.7 * len(load.accepted), "they went in groups"
    stack.start_worker(WORKER_RATE_LIMIT="0")
    wait_until_settled(url, 30)
    assert_all_kept(url, load.accepted)


def test_a_stopping_api_refuses_at_once_what_it_will_not_answer(stack: Stack) -> None:
    """Or else clients are let in and then cut off; with a refused connection they know that nothing happened."""
    api = stack.start_api()
    token = stack.log_in()
    kept = Manager(stack.api_url, token)
    accepted = kept.create().json()["request_id"]  # its connection is open now, and keeps the process for two seconds
    waiting: list[requests.Response] = []

    def wait_for_long() -> None:
        path = f"/api/admin/tripwire/requests/{accepted}"
        waiting.append(Manager(stack.api_url, token).call("GET", path, headers={"Prefer": "wait=30"}))

    waiter = threading.Thread(target=wait_for_long)
    waiter.start()
    time.sleep(0.5)  # until it waits
    api.signal(signal.SIGTERM)

    def refused() -> bool:
        try:
            requests.get(f"{stack.api_url}/healthz", timeout=2)
        except requests.ConnectionError as error:
            return "Connection refused" in str(error)
        return False

    wait_until(refused, 1.5)
    assert api.alive, "it still waits for what its kept connections may send"
    answer = kept.create()
    assert (answer.status_code, answer.headers["Connection"]) == (202, "close")
    waiter.join(3)
    assert [seen.status_code for seen in waiting] == [200], "who waits for long is answered now"
    assert api.wait(10) == 0


def test_workers_are_replaced_one_by_one(stack: Stack, slow_down: Callable[[str, float, str], None]) -> None:
    url = stack.environ["DATABASE_URL"]
    slow_down("sales", 0.2, "%")  # so that each stop finds work under way
    stack.environ.update(WORKER_RATE_LIMIT="0", SWEEP_AFTER_SECONDS="15")
    stack.start_api()
    services = [stack.start_worker(), stack.start_worker()]
    for service in services:
        wait_until(lambda service=service: worker_of(service) and sweep_of(service), 20)

    with Load([stack.api_url], stack.log_in(), per_second=10) as load:
        for service in services:
            time.sleep(1)
            _stop_in_order(service, 15)
            service.start()
            wait_until(lambda service=service: worker_of(service), 20)

    _assert_each_sent_once_and_accepted(load)
    wait_until_settled(url, 30)
    assert_all_kept(url, load.accepted)
    assert_mails_arrived(url, stack.mail_folder)
    assert count(url, MORE_THAN_ONE_ATTEMPT) == 0, "each ended what it was at"


@pytest.mark.long
def test_a_local_run_stopped_under_load(tmp_path: Path, database_url: str, redis_url: str, stack: Stack) -> None:
    run = LocalRun(tmp_path, environ={"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    try:
        run.ready()
        token = _token(run)
        with Load([run.value("API")], token, patience=0.5) as load:
            time.sleep(1.5)
            began = time.monotonic()
            assert run.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < 10
    finally:
        run.kill_everything()

    sent = [seen for seen in load.tries if "Connection refused" not in seen.error]
    assert [str(seen) for seen in sent if not seen.accepted] == []
    secret = (tmp_path / ".data" / "secrets" / "secret_key").read_text().strip()
    stack.start_worker(SECRET_KEY=secret, WORKER_RATE_LIMIT="0")
    wait_until_settled(database_url, 20)
    assert_all_kept(database_url, load.accepted)


def _assert_each_sent_once_and_accepted(load: Load) -> None:
    assert len(load.customers) > 20
    assert [str(seen) for seen in load.tries if not seen.accepted] == []
    assert len(load.tries) == len(load.customers)


def _stop_in_order(service: Child, seconds: float) -> None:
    service.signal(signal.SIGTERM)
    assert service.wait(seconds) == 0


def _start_api(stack: Stack) -> str:
    stack.start_api()
    return f"http://127.0.0.1:{stack.children[-1].environ['API_PORT']}"


def _ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def _token(run: LocalRun) -> str:
    answer = requests.post(
        f"{run.value('API')}/api/auth/login",
        json={"email": ADMIN_EMAIL, "password": run.value("Password")},
        timeout=10,
    )
    return str(answer.json()["token"])
