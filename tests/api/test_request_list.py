"""The list of requests: filters, pages, and what one request says."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from tests.api.conftest import ApiUnderTest, Caller, assert_problem
from tests.attempts import attempt

REQUESTS = "/api/admin/tripwire/requests"
KEYS = {
    *("request_id", "email", "status", "mode", "attempts", "error", "user_id", "accepted_at", "finished_at"),
    "welcome_email",
}


def create(who: Caller, email: str, full_name: str = "Anna K.") -> str:
    answer = who.post("/api/admin/tripwire/users", json={"email": email, "full_name": full_name})
    assert answer.status_code == 202, answer.text
    request_id: str = answer.get_json()["request_id"]
    return request_id


def listed(who: Caller, query: str = "") -> list[str]:
    answer = who.get(f"{REQUESTS}?{query}")
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.get_json()
    assert {"requests", "total", "next_cursor"} <= set(page)
    return [found["email"].partition("@")[0] for found in page["requests"]]


def test_one_request_says_what_became_of_it(api: ApiUnderTest, manager: Caller) -> None:
    request_id = create(manager, "anna@example.com")
    attempt(api.resources, request_id)
    found = manager.get(f"{REQUESTS}/{request_id}").get_json()
    assert {*KEYS, "steps"} <= set(found)
    assert (found["status"], found["mode"], found["attempts"], found["error"]) == ("provisioned", "async", 1, None)
    assert UUID(found["user_id"])
    assert found["welcome_email"] in ("pending", "sent")
    assert datetime.fromisoformat(found["accepted_at"]) <= datetime.fromisoformat(found["finished_at"])
    assert all(set(step) == {"step", "at", "detail"} for step in found["steps"])
    times = [datetime.fromisoformat(step["at"]) for step in found["steps"]]
    assert times == sorted(times)
    assert times[0].utcoffset() is not None


def test_pages_hold_everything_once_newest_first(manager: Caller) -> None:
    for number in range(7):
        create(manager, f"a{number}@example.com")
    seen, cursor, totals = [], "", set()
    while cursor is not None:
        page = manager.get(f"{REQUESTS}?limit=3&cursor={cursor}").get_json()
        seen += [found["email"][:2] for found in page["requests"]]
        totals.add(page["total"])
        cursor = page["next_cursor"]
        create(manager, f"later{len(seen)}@example.com")  # what comes in meanwhile moves nothing
    assert seen == [f"a{number}" for number in reversed(range(7))]
    assert totals == {7, 8, 9}


def test_filters(api: ApiUnderTest, manager: Caller, admin: Caller, subtests: pytest.Subtests) -> None:
    ids = {name: create(manager, f"{name}@example.com", f"{name.title()} K_") for name in ("anna", "boris", "clara")}
    attempt(api.resources, ids["boris"])
    create(admin, "dora@example.com", "Dora 100%")
    cases = {
        "": ["clara", "boris", "anna"],
        "status=provisioned": ["boris"],
        "status=accepted": ["clara", "anna"],
        "status=failed": [],
        "q=BORIS": ["boris"],
        "q=example.com": ["clara", "boris", "anna"],
        "q=k_": ["clara", "boris", "anna"],
        "q=%25": [],
        f"ids={ids['anna']},{ids['clara']}": ["clara", "anna"],
        f"ids={ids['anna']}&status=provisioned": [],
        "ids=": ["clara", "boris", "anna"],
        "status=&q=&limit=&cursor=": ["clara", "boris", "anna"],
    }
    for query, expected in cases.items():
        with subtests.test(query):
            assert listed(manager, query) == expected
    assert listed(admin, "q=100%25") == ["dora"]
    assert listed(admin, "limit=2") == ["dora", "clara"]


def test_up_to_100_ids(manager: Caller) -> None:
    some = [create(manager, "anna@example.com"), *(str(UUID(int=number)) for number in range(100))]
    assert listed(manager, f"ids={','.join(some[:100])}") == ["anna"]
    assert list(assert_problem(manager.get(f"{REQUESTS}?ids={','.join(some)}"), 422)["errors"]) == ["ids"]


def test_ids_of_others_are_not_shown(api: ApiUnderTest, manager: Caller) -> None:
    request_id = create(manager, "anna@example.com")
    assert listed(api.member("other@example.com"), f"ids={request_id}") == []
