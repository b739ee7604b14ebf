"""Promise 9: a slow client is its own problem. Hundreds of connections that are silent, half-sent or never read on, a
flood of sign-ins, a thousand that wait for a request's end: nobody else notices."""

import itertools
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psutil
import psycopg2
import pytest
import requests

from tests.faults.processes import api_processes
from tests.faults.slow_clients import SlowClients, allow_files
from tests.sales_manager import CREATE, Manager, new_email
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_api.parts import BACKGROUND_CONNECTIONS
from tripwire_shared.timings import LAST_WORD_LINGER, REQUEST_READ_LIMIT

SILENT, HALF_SENT, LINGERING, NEVER_READING = 300, 300, 50, 20
WAITING = 1_000
SLOWER_AT_MOST, WORST_AT_MOST = 0.05, 0.5
# While more sign in than can: a hash of each of those inside, one after the other.
FLOOD_WORST = 1.5
# How long is measured, and how often one asks.
MEASURED_FOR, ASKS_EVERY = 4.0, 0.02
THREADS = 8
# The clients of this test must not be what is slow.
REFUSED_PAUSE = 0.3


@pytest.fixture(autouse=True)
def _files() -> None:
    allow_files(4 * WAITING)


class Asker:
    """Asks for everything in turn, each time over a connection of its own, as somebody does who comes anew."""

    def __init__(self, stack: Stack, token: str) -> None:
        self._asks: dict[str, Callable[[], requests.Response]] = {
            "create": lambda: requests.post(
                stack.api_url + CREATE,
                json={"email": new_email(), "full_name": "Anna K."},
                headers={"Authorization": f"Bearer {token}", "Connection": "close"},
                timeout=10,
            ),
            "healthz": lambda: _get(f"{stack.api_url}/healthz"),
        }
        if stack.admin_ui_url:
            self._asks["page"] = lambda: _get(f"{stack.admin_ui_url}/login")

    def times(self, seconds: float = MEASURED_FOR) -> dict[str, list[float]]:
        took: dict[str, list[float]] = {what: [] for what in self._asks}
        end = time.monotonic() + seconds
        for what, ask in itertools.cycle(self._asks.items()):
            began = time.monotonic()
            if began > end:
                return took
            answer = ask()
            took[what].append(time.monotonic() - began)
            assert answer.status_code in (200, 201, 202), answer.text
            time.sleep(ASKS_EVERY)
        raise AssertionError("unreachable")


def _stylesheet(url: str) -> str:
    """Made once: what is measured is not how long so many pages take."""
    found = re.search(r'href="(/static/[^"]+\.css)"', _get(f"{url}/login").text)
    assert found
    return found[1]


def _seconds(ask: Callable[[], requests.Response]) -> float:
    began = time.monotonic()
    assert ask().ok
    return time.monotonic() - began


def _get(url: str) -> requests.Response:
    return requests.get(url, headers={"Connection": "close"}, timeout=10)


Measured = Callable[[str, float], None]


def assert_nobody_noticed(
    before: dict[str, list[float]],
    meanwhile: dict[str, list[float]],
    measured: Measured,
    of: str,
    *,
    slower_at_most: float = SLOWER_AT_MOST,
    worst_at_most: float = WORST_AT_MOST,
) -> None:
    for what, usual in before.items():
        slower = statistics.median(meanwhile[what]) - statistics.median(usual)
        worst = max(meanwhile[what])
        measured(f"{of}: {what}, p50 slower by (s)", slower)
        measured(f"{of}: {what}, worst (s)", worst)
        assert slower <= slower_at_most, f"{what} with {of}"
        assert worst <= worst_at_most, f"{what} with {of}"


@pytest.fixture
def served(stack: Stack) -> Stack:
    """The API with two processes, and the admin UI before it."""
    stack.environ["API_RATE_LIMIT"] = "0"
    # By its name, as it mostly is: looking it up holds nobody up either.
    stack.environ["DATABASE_URL"] = stack.environ["DATABASE_URL"].replace("127.0.0.1", "localhost")
    assert "localhost" in stack.environ["DATABASE_URL"]
    stack.start_api(processes=2, WEB_THREADS=str(THREADS))
    stack.start_admin_ui()
    return stack


def test_hundreds_of_slow_connections(served: Stack, measured: Measured) -> None:
    asker = Asker(served, served.log_in())
    before = asker.times()
    with ExitStack() as opened:
        held = []
        for url, answer, long_answer in (
            (served.api_url, "/healthz", "/openapi.json"),
            (served.admin_ui_url, "/healthz", _stylesheet(served.admin_ui_url)),
        ):
            clients = opened.enter_context(SlowClients(url))
            clients.never_reading(NEVER_READING, long_answer)
            clients.lingering(LINGERING, answer)
            clients.silent(SILENT)
            clients.half_sent(HALF_SENT, "/api/auth/login")
            held.append(clients)
        half_sent_at = time.monotonic()

        meanwhile = asker.times()

        for clients in held:
            clients.seconds_until_half_sent_are_closed(REQUEST_READ_LIMIT + LAST_WORD_LINGER + 3)
        measured("half-sent requests are closed within (s)", time.monotonic() - half_sent_at)
    assert_nobody_noticed(before, meanwhile, measured, "slow connections")


@pytest.mark.long
def test_more_connections_than_a_process_holds(stack: Stack) -> None:
    """Who has kept it waiting for longest makes room."""
    stack.start_api(GUNICORN_CMD_ARGS="--worker-connections 20")
    manager = Manager(stack.api_url, stack.log_in())
    with SlowClients(stack.api_url) as clients:
        for _ in range(5):
            clients.half_sent(10, "/api/auth/login")
            clients.silent(10)
            began = time.monotonic()
            assert _get(f"{stack.api_url}/healthz").status_code == 200
            assert manager.create().status_code == 202
            assert time.monotonic() - began < WORST_AT_MOST
        accepted = manager.create().json()["request_id"]
        for _ in range(30):
            clients.ask(f"/api/admin/tripwire/requests/{accepted}", manager.token, "Prefer: wait=3")
        wait_until(lambda: clients.answered() == 20, 10, what="those whom it took in, and nobody cut them off")


@pytest.mark.long
def test_a_flood_of_sign_ins_from_many_addresses(served: Stack, measured: Measured) -> None:
    asker = Asker(served, served.log_in())
    before = asker.times()
    ended, answers, refusals = threading.Event(), Counter[int](), list[float]()

    def sign_in(number: int) -> None:
        for count in itertools.count():
            if ended.is_set():
                return
            began = time.monotonic()
            answer = requests.post(
                f"{served.api_url}/api/auth/login",
                json={"email": f"{number}-{count}@example.com", "password": "not this one"},
                headers={"X-Forwarded-For": f"2001:db8:{number:x}:{count:x}::1"},
                timeout=10,
            )
            answers[answer.status_code] += 1
            if answer.status_code == 429:
                assert int(answer.headers["Retry-After"]) >= 1
                refusals.append(time.monotonic() - began)
                time.sleep(REFUSED_PAUSE)

    with ThreadPoolExecutor(3 * THREADS) as flood:
        flooding = [flood.submit(sign_in, number) for number in range(3 * THREADS)]
        try:
            wait_until(lambda: answers[401], 10, what="a sign-in")
            meanwhile = asker.times()
        finally:
            ended.set()
        for one in flooding:
            one.result()
    assert set(answers) == {401, 429}, answers
    measured("a sign-in over the capacity is refused within (s, p50)", statistics.median(refusals))
    assert statistics.median(refusals) < WORST_AT_MOST
    # The processors are busy with passwords now, half of them at least: all is slower, and nobody waits for those.
    assert_nobody_noticed(
        before, meanwhile, measured, "a flood of sign-ins", slower_at_most=WORST_AT_MOST, worst_at_most=FLOOD_WORST
    )


@pytest.mark.long
def test_a_thousand_wait_for_the_end_of_a_request(served: Stack, database_url: str, measured: Measured) -> None:
    token = served.log_in()
    asker, manager = Asker(served, token), Manager(served.api_url, token)
    before = asker.times()
    accepted = manager.create().json()["request_id"]  # no worker runs: it stays so
    with ExitStack() as opened:
        clients = opened.enter_context(SlowClients(served.api_url))
        for _ in range(WAITING):
            clients.ask(f"/api/admin/tripwire/requests/{accepted}", token, "Prefer: wait=30")
        wait_until(lambda: _seconds(manager.create) < SLOWER_AT_MOST, 10, what="all of them waiting, none in line")

        meanwhile = asker.times()
        assert clients.answered() == 0
        processes = [psutil.Process(process.pid) for process in api_processes(served.children[0])]
        assert max(process.num_threads() for process in processes) < 40
        with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tripwire-api'")
            assert cursor.fetchall()[0][0] <= 2 * (THREADS + BACKGROUND_CONNECTIONS)

        began = time.monotonic()
        served.start_worker()
        wait_until(lambda: clients.answered(b'"status":"provisioned"') == WAITING, 25, what="all answers")
        measured("a thousand that waited are answered, with the worker's start (s)", time.monotonic() - began)
    assert_nobody_noticed(before, meanwhile, measured, "a thousand that wait")
