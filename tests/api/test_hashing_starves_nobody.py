"""Passwords take long to hash: those who set one have a part of the process, and nobody else waits for them."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from tests.api.conftest import CREATE, PASSWORD, ApiUnderTest, Caller, assert_problem, sql
from tests.waiting import wait_until

THREADS, HASHING = 8, 2


class Hashes:
    """Stands in for argon2: each call is under way until `end()`."""

    def __init__(self) -> None:
        self.under_way = 0
        self._ended = threading.Event()

    def hash(self, password: str, patience: float | None = None) -> str:
        self.under_way += 1
        assert self._ended.wait(20)
        return "a hash"

    def end(self) -> None:
        self._ended.set()


@pytest.fixture
def api(api_for: Callable[..., ApiUnderTest]) -> ApiUnderTest:
    return api_for(web_threads=THREADS)


@pytest.fixture
def hashes(api: ApiUnderTest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashes]:
    hashes = Hashes()
    monkeypatch.setattr(api.resources.hasher, "hash", hashes.hash)
    yield hashes
    hashes.end()


def created(api: ApiUnderTest, manager: Caller, number: int, **more: str) -> TestResponse:
    caller = Caller(api.client.application.test_client(), manager.token)
    return caller.post(CREATE, json={"email": f"{number}@example.com", "full_name": "Anna K.", **more})


def test_creates_with_passwords_hold_no_others_up(
    api: ApiUnderTest, manager: Caller, hashes: Hashes, direct: None
) -> None:
    """In the direct mode. Who cannot be finished now is kept and resumed: 202."""
    with ThreadPoolExecutor(THREADS) as pool:
        with_passwords: list[Future[TestResponse]] = [
            pool.submit(created, api, manager, number, password=PASSWORD) for number in range(THREADS)
        ]
        try:
            wait_until(lambda: sum(one.done() for one in with_passwords) == THREADS - HASHING)
            wait_until(lambda: hashes.under_way == HASHING)  # let in, they may just be on their way
            began = time.monotonic()
            assert created(api, manager, 100).status_code == 201
            assert time.monotonic() - began < 1
        finally:
            hashes.end()
        answers = [one.result() for one in with_passwords]
    assert Counter(answer.status_code for answer in answers) == {201: HASHING, 202: THREADS - HASHING}
    kept = [answer.get_json() for answer in answers if answer.status_code == 202]
    assert {(one["status"], one["mode"]) for one in kept} == {("accepted", "sync")}
    waiting = sql(api, "SELECT id::text FROM provisioning_requests WHERE status = 'accepted' AND attempts = 0")
    assert {row.id for row in waiting} == {one["request_id"] for one in kept}


def test_who_sets_a_password_when_others_do_is_asked_to_come_again(
    api: ApiUnderTest, admin: Caller, hashes: Hashes
) -> None:
    def add(number: int) -> TestResponse:
        caller = Caller(api.client.application.test_client(), admin.token)
        body = {"email": f"{number}@example.com", "full_name": "Anna K.", "role": "sales", "password": PASSWORD}
        return caller.post("/api/admin/staff", json=body)

    with ThreadPoolExecutor(HASHING) as pool:
        setting = [pool.submit(add, number) for number in range(HASHING)]
        try:
            wait_until(lambda: hashes.under_way == HASHING)
            refused = add(HASHING)
            assert_problem(refused, 429)
            assert refused.headers["Retry-After"] == "1"
            changed = admin.ask("PATCH", f"/api/admin/staff/{admin.id}", json={"password": PASSWORD})
            assert_problem(changed, 429)
            assert admin.ask("PATCH", f"/api/admin/staff/{admin.id}", json={"full_name": "B"}).status_code == 200
        finally:
            hashes.end()
        assert [one.result().status_code for one in setting] == [201] * HASHING
