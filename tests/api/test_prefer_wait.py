"""`Prefer: wait` holds an answer back until the request is finished, or the seconds are over."""

import threading
import time
from typing import Any
from uuid import UUID

import pytest

from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sql
from tests.attempts import attempt
from tripwire_api.http import long_waits
from tripwire_shared.provisioning.provision import Outcome
from tripwire_shared.timings import API_REQUEST_BUDGET


def accept(manager: Caller) -> str:
    body = {"email": "anna@example.com", "full_name": "Anna K."}
    location: str = manager.post("/api/admin/tripwire/users", json=body).headers["Location"]
    return location


def test_a_wait_may_be_longer_than_the_database_may_take(manager: Caller) -> None:
    seconds = int(API_REQUEST_BUDGET) + 2
    location, began = accept(manager), time.monotonic()
    answer = manager.get(location, headers={"Prefer": f"wait={seconds}"})
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["status"] == "accepted"
    assert seconds <= time.monotonic() - began < seconds + 2


def test_it_ends_when_the_request_does(api: ApiUnderTest, manager: Caller) -> None:
    location, began = accept(manager), time.monotonic()
    request_id = UUID(location.rpartition("/")[2])
    worker = threading.Timer(0.5, attempt, (api.resources, request_id))
    worker.start()
    answer = manager.get(location, headers={"Prefer": "respond-async, wait=20"})
    worker.join()
    assert answer.get_json()["status"] == "provisioned"
    steps = [step["step"] for step in answer.get_json()["steps"]]
    assert steps[:3] == ["accepted", "attempt_started", "provisioned"]
    assert 0.5 <= time.monotonic() - began < 10


def test_slow_looks_do_not_add_up_to_an_unavailable_database(
    api: ApiUnderTest, manager: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    location, get = accept(manager), api.resources.requests.get

    def slow(*which: Any) -> Any:
        time.sleep(API_REQUEST_BUDGET / 3)
        return get(*which)

    monkeypatch.setattr(api.resources.requests, "get", slow)
    assert manager.get(location, headers={"Prefer": f"wait={2 * API_REQUEST_BUDGET:.0f}"}).status_code == 200


@pytest.mark.parametrize("ends", ["UPDATE staff_tokens SET revoked_at = now()", "UPDATE staff SET active = false"])
def test_a_revoked_token_is_told_nothing_and_waits_no_longer(api: ApiUnderTest, manager: Caller, ends: str) -> None:
    location = accept(manager)
    revoked_at: list[float] = []

    def revoke() -> None:
        sql(api, ends)
        revoked_at.append(time.monotonic())

    threading.Timer(0.5, revoke).start()
    answer = manager.get(location, headers={"Prefer": "wait=20"})
    assert_problem(answer, 401)
    assert 0 < time.monotonic() - revoked_at[0] < 1


def test_a_malformed_wait_is_ignored(manager: Caller) -> None:
    location, began = accept(manager), time.monotonic()
    for preference in ("wait=x", "wait", "wait=-1", "respond-async", "wait=²", f"wait={'9' * 5000}x"):
        assert manager.get(location, headers={"Prefer": preference}).status_code == 200
    assert time.monotonic() - began < 2


def test_what_is_finished_is_not_waited_for(api: ApiUnderTest, manager: Caller) -> None:
    location = accept(manager)
    request_id = UUID(location.rpartition("/")[2])
    assert attempt(api.resources, request_id) is Outcome.PROVISIONED
    began = time.monotonic()
    answer = manager.get(location, headers={"Prefer": "wait=10"})
    assert answer.get_json()["status"] == "provisioned"
    assert time.monotonic() - began < 2


def test_a_process_that_stops_answers_at_once(
    api: ApiUnderTest, manager: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()
    monkeypatch.setattr(api.resources.long_waits, "_stopping", stopping)
    location, began = accept(manager), time.monotonic()
    threading.Timer(0.5, stopping.set).start()
    assert manager.get(location, headers={"Prefer": "wait=20"}).get_json()["status"] == "accepted"
    assert 0.5 <= time.monotonic() - began < 2


def test_it_ends_although_nobody_is_told(api: ApiUnderTest, manager: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_waits, "PREFER_WAIT_POLL", 1.0)
    location = accept(manager)
    finish = "UPDATE provisioning_requests SET status = 'failed', finished_at = now()"
    threading.Timer(0.3, sql, (api, finish)).start()
    began = time.monotonic()
    assert manager.get(location, headers={"Prefer": "wait=20"}).get_json()["status"] == "failed"
    assert time.monotonic() - began < 3
