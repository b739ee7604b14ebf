"""`Prefer: wait` holds an answer back until the request is finished, or the seconds are over."""

import time
from uuid import UUID

from tests.api.conftest import ApiUnderTest, Caller
from tripwire_shared.provisioning.provision import Door, Outcome
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


def test_a_malformed_wait_is_ignored(manager: Caller) -> None:
    location, began = accept(manager), time.monotonic()
    for preference in ("wait=x", "wait", "wait=-1", "respond-async", "wait=²"):
        assert manager.get(location, headers={"Prefer": preference}).status_code == 200
    assert time.monotonic() - began < 2


def test_what_is_finished_is_not_waited_for(api: ApiUnderTest, manager: Caller) -> None:
    location = accept(manager)
    request_id = UUID(location.rpartition("/")[2])
    assert api.resources.provisioning.provision(request_id, Door.QUEUE) is Outcome.PROVISIONED
    began = time.monotonic()
    answer = manager.get(location, headers={"Prefer": "wait=10"})
    assert answer.get_json()["status"] == "provisioned"
    assert time.monotonic() - began < 2
