"""Tokens: shown once, and dead everywhere within a second of being revoked."""

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest
import requests
from psycopg2.extras import NamedTupleCursor

from tests.api.conftest import ApiUnderTest, Caller, assert_problem, take_in
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_shared.staff.tokens import UNKNOWN_OVER_ALL
from tripwire_shared.timings import TOKEN_CACHE_TTL

HOLDS_WITHIN = 1.0


def test_a_token_is_shown_once(admin: Caller, manager: Caller) -> None:
    path = f"/api/admin/staff/{manager.id}/tokens"
    made = admin.post(path, json={"name": "program", "expires_in_days": 30})
    assert made.status_code == 201
    token = made.get_json()
    assert {"id", "token", "name", "expires_at"} <= set(token)
    assert re.fullmatch(r"tsm_[A-Za-z0-9_-]{43}", token["token"])
    listed = admin.get(path)
    assert token["id"] in [one["id"] for one in listed.get_json()["tokens"]]
    assert token["token"] not in listed.text
    assert Caller(admin.client, token["token"]).get("/api/auth/me").get_json()["id"] == manager.id


def test_a_token_without_days_does_not_end(admin: Caller, manager: Caller) -> None:
    made = admin.post(f"/api/admin/staff/{manager.id}/tokens", json={"name": "program"})
    assert made.get_json()["expires_at"] is None


def test_a_bad_token_wish_is_422(admin: Caller, manager: Caller, subtests: pytest.Subtests) -> None:
    for field, value in (("name", ""), ("name", "x" * 101), ("name", 1), ("expires_in_days", 0), ("kind", "session")):
        with subtests.test(field, value=repr(value)[:20]):
            refused = admin.post(f"/api/admin/staff/{manager.id}/tokens", json={"name": "program", field: value})
            assert list(assert_problem(refused, 422)["errors"]) == [field]


def test_an_expired_token_is_refused(api: ApiUnderTest, manager: Caller, database_url: str) -> None:
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE staff_tokens SET expires_at = now() - interval '1 second'")
    assert_problem(manager.get("/api/auth/me"), 401)


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those of tokens: it grows with each."""
    seen: list[str] = []
    execute = NamedTupleCursor.execute

    def noted(cursor: Any, query: str, vars: Any = None) -> Any:
        if "FROM staff_tokens" in query:
            seen.append(query)
        return execute(cursor, query, vars)

    monkeypatch.setattr(NamedTupleCursor, "execute", noted)
    return seen


def test_one_query_for_a_token_however_many_ask(manager: Caller, queries: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        answers = list(pool.map(lambda _: manager.get("/api/auth/me").status_code, range(400)))
        took = time.monotonic() - began
    assert set(answers) == {200}
    assert 0 < len(queries) <= 1 + took / TOKEN_CACHE_TTL


@pytest.mark.parametrize(
    "token",
    [
        "x", "tsm_", "tsm_short", "tsm_" + "a" * 42, "tsm_" + "a" * 44, "tsm_" + "a" * 42 + "=", "tsm_" + "é" * 43,
        "tsm_" + "a" * 43 + " x", "TSM_" + "a" * 43, "tsm_" + "a" * 5000, "tsm_" + "a" * 42 + "'",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ],
)  # fmt: skip
def test_what_cannot_be_a_token_is_refused_without_a_question(api: ApiUnderTest, token: str) -> None:
    api.resources.database.close()  # whoever asks it now waits, and is told 503
    for _ in range(3):
        assert_problem(Caller(api.client, token).get("/api/auth/me"), 401)


def test_a_flood_of_unknown_tokens_pushes_no_good_one_out_and_asks_little(
    api: ApiUnderTest, manager: Caller, queries: list[str], subtests: pytest.Subtests
) -> None:
    assert manager.get("/api/auth/me").status_code == 200
    before, began = len(queries), time.monotonic()

    def one(number: int) -> int:
        address = f"198.51.{number % 100}.{number % 200}" if number % 2 else "203.0.113.7"
        unknown = Caller(api.client, f"tsm_{number:043d}")
        return unknown.get("/api/auth/me", headers={"X-Forwarded-For": address}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(one, range(4_000)))
        assert manager.get("/api/auth/me").status_code == 200
    took = time.monotonic() - began
    assert set(answers) == {401, 429}
    asked = len(queries) - before
    assert asked <= UNKNOWN_OVER_ALL * (2 + took) + took / TOKEN_CACHE_TTL + 2
    with subtests.test("one client's flood leaves others their questions"):
        time.sleep(1)
        for number in range(5_000, 5_300):
            Caller(api.client, f"tsm_{number:043d}").get("/api/auth/me")
        new = api.member("new@example.com")
        assert new.get("/api/auth/me", headers={"X-Forwarded-For": "192.0.2.77"}).status_code == 200
    with subtests.test("who is over the limit is not told that the token is none"):
        for number in range(6_000, 6_300):
            refused = Caller(api.client, f"tsm_{number:043d}").get("/api/auth/me")
        assert_problem(refused, 429)
        assert refused.headers["Retry-After"] == "1"


def test_a_token_revoked_while_its_answer_was_held_back_gets_none(api: ApiUnderTest, admin: Caller) -> None:
    seller = api.member("s@example.com")
    request_id = take_in(seller)
    path = f"/api/admin/tripwire/requests/{request_id}"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(seller.get, path, headers={"Prefer": "wait=2"})
        wait_until(lambda: api.resources.long_waits._waiting)
        admin.ask("PATCH", f"/api/admin/staff/{seller.id}", json={"active": False})
        assert_problem(waiting.result(), 401)


@pytest.mark.slow
def test_an_end_holds_in_every_process_within_a_second(stack: Stack, subtests: pytest.Subtests) -> None:
    stack.start_api(processes=1)
    first = stack.api_url
    stack.api_url = ""
    stack.start_api(processes=1)
    urls = [first, stack.api_url]
    admin = {"Authorization": f"Bearer {stack.log_in()}"}
    staff = f"{first}/api/admin/staff"

    def asked_everywhere(token: str) -> list[int]:
        headers = {"Authorization": f"Bearer {token}"}
        return [requests.get(f"{url}/api/auth/me", headers=headers, timeout=5).status_code for url in urls]

    new = {"email": "m@example.com", "full_name": "M", "role": "sales"}
    account = f"{staff}/{requests.post(staff, headers=admin, json=new, timeout=5).json()['id']}"
    ways = {
        "revoked": lambda token: requests.delete(f"{account}/tokens/{token['id']}", headers=admin, timeout=5),
        "deactivated": lambda token: requests.patch(account, headers=admin, json={"active": False}, timeout=5),
    }
    for way, end in ways.items():
        with subtests.test(way):
            token = requests.post(f"{account}/tokens", headers=admin, json={"name": "t"}, timeout=5).json()
            assert asked_everywhere(token["token"]) == [200, 200]
            assert end(token).ok
            time.sleep(HOLDS_WITHIN)
            assert asked_everywhere(token["token"]) == [401, 401]
