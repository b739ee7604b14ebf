"""Signing in and out: who is let in, who is slowed down, and that nothing tells whether an account exists."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg2
import pytest
from werkzeug.test import TestResponse

from deploy.local.data_folder import free_port
from tests.api.conftest import PASSWORD, ApiUnderTest, Caller, assert_problem, sql
from tests.waiting import wait_until
from tripwire_api.serving.wsgi import ensure_first_admin
from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.timings import (
    API_REQUEST_BUDGET,
    LOGIN_FAILURES_PER_ACCOUNT,
    LOGIN_FAILURES_PER_ADDRESS,
    LOGIN_WINDOW,
)

EMAIL = "boss@example.com"


def sign_in(
    api: ApiUnderTest, email: str = EMAIL, password: str = PASSWORD, address: str = "192.0.2.1"
) -> TestResponse:
    """Through a trusted proxy, which says whose address it is."""
    headers = {"X-Forwarded-For": address}
    return api.nobody.post("/api/auth/login", json={"email": email, "password": password}, headers=headers)


def test_a_domain_is_typed_in_either_of_its_forms(api_for: Callable[..., ApiUnderTest]) -> None:
    """Also where an earlier version kept the readable one."""
    api = api_for(admin_email="Boss@bücher.example")
    assert api.resources.staff.ensure_first_admin(api.resources.settings.admin_email, PASSWORD)
    for kept in ("boss@xn--bcher-kva.example", "boss@bücher.example"):
        sql(api, "UPDATE staff SET email = %s", kept)
        for typed in ("boss@xn--bcher-kva.example", "BOSS@bu\u0308cher.example"):
            answer = sign_in(api, email=typed)
            assert answer.status_code == 200, answer.text
            assert answer.get_json()["staff"]["email"] == "boss@bücher.example"
    assert sign_in(api, email="bos\u017f@bücher.example").status_code == 401, "a long s is no s"


def test_the_right_password_gives_a_token_that_ends(api: ApiUnderTest) -> None:
    api.member(EMAIL, Role.ADMIN, password=PASSWORD)
    answer = sign_in(api, email="  BOSS@Example.com ")
    assert answer.status_code == 200, answer.text
    session = answer.get_json()
    assert set(session) == {"token", "expires_at", "staff"}
    assert session["staff"]["email"] == EMAIL
    assert session["staff"]["role"] == "admin"
    me = Caller(api.client, session["token"]).get("/api/auth/me").get_json()
    assert me == session["staff"]


def test_what_is_wrong_is_not_told(api: ApiUnderTest) -> None:
    api.member(EMAIL, password=PASSWORD)
    gone = api.member("gone@example.com", password=PASSWORD)
    api.member("tokens@example.com")
    admin = api.member("admin@example.com", Role.ADMIN)
    admin.ask("PATCH", f"/api/admin/staff/{gone.id}", json={"active": False})
    tries = [(EMAIL, "wrong"), ("nobody@example.com", "wrong"), ("gone@example.com", PASSWORD)]
    answers = [assert_problem(sign_in(api, *one), 401) for one in [*tries, ("tokens@example.com", "wrong")]]
    assert all(answer == answers[0] for answer in answers)


def test_five_failures_a_minute_close_an_account_for_that_address_only(api: ApiUnderTest) -> None:
    api.member(EMAIL, password=PASSWORD)
    for _ in range(LOGIN_FAILURES_PER_ACCOUNT):
        assert_problem(sign_in(api, password="wrong"), 401)
    throttled = sign_in(api)
    assert_problem(throttled, 429)
    assert 1 <= int(throttled.headers["Retry-After"]) <= LOGIN_WINDOW
    assert sign_in(api, address="192.0.2.2").status_code == 200


def test_tries_side_by_side_do_not_slip_through(api_for: Callable[..., ApiUnderTest]) -> None:
    api = api_for(web_threads=16)  # all of them are let in
    api.member(EMAIL, password=PASSWORD)
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(lambda _: sign_in(api, password="wrong").status_code, range(20)))
    assert statuses == {401: LOGIN_FAILURES_PER_ACCOUNT, 429: 20 - LOGIN_FAILURES_PER_ACCOUNT}


def test_an_address_that_tries_many_accounts_is_stopped(api: ApiUnderTest, database_url: str) -> None:
    api.member(EMAIL, password=PASSWORD)
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO login_failures (email, address) SELECT 'n' || n || '@example.com', '192.0.2.1'"
            " FROM generate_series(1, %s) n",
            (LOGIN_FAILURES_PER_ADDRESS,),
        )
    assert_problem(sign_in(api), 429)
    assert sign_in(api, address="192.0.2.2").status_code == 200


def test_the_throttle_comes_before_the_costly_part(api: ApiUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    api.member(EMAIL, password=PASSWORD)
    verified: list[str] = []

    def verify(_: str, password: str) -> bool:
        verified.append(password)
        return False

    monkeypatch.setattr(api.resources.hasher, "verify", verify)
    for number in range(LOGIN_FAILURES_PER_ACCOUNT + 20):
        sign_in(api, password=f"wrong {number}")
    assert len(verified) == LOGIN_FAILURES_PER_ACCOUNT


def test_people_who_sign_in_rightly_at_the_same_moment_do_not_stand_in_each_others_way(
    api_for: Callable[..., ApiUnderTest],
) -> None:
    api = api_for(web_threads=16)  # all of them are let in
    api.member(EMAIL, password=PASSWORD)
    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(lambda _: sign_in(api).status_code, range(6))) == {200: 6}


def test_no_more_than_half_of_the_capacity_signs_in(
    api_for: Callable[..., ApiUnderTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = api_for(web_threads=8)
    api.member(EMAIL, password=PASSWORD)
    throttled = "198.51.100.1"
    for _ in range(LOGIN_FAILURES_PER_ACCOUNT):
        sign_in(api, password="wrong", address=throttled)
    going = threading.Event()
    monkeypatch.setattr(api.resources.hasher, "verify", lambda *_: going.wait(20))
    with ThreadPoolExecutor(8) as pool:
        inside = [pool.submit(sign_in, api, EMAIL, PASSWORD, f"192.0.2.{number}") for number in range(8)]
        try:
            wait_until(lambda: sum(one.done() for one in inside) == 4, what="four that are refused")
            began = time.monotonic()
            refused = sign_in(api, address="192.0.2.99")
            assert_problem(refused, 429)
            assert refused.headers["Retry-After"] == "1"
            assert time.monotonic() - began < 0.5, "at once"
            assert sign_in(api, address=throttled).headers["Retry-After"] == "60", "the throttle looks first"
        finally:
            going.set()
        assert Counter(one.result().status_code for one in inside) == {200: 4, 429: 4}


def test_the_time_does_not_tell_whether_the_account_exists(api: ApiUnderTest) -> None:
    api.member(EMAIL, password=PASSWORD)
    api.member("tokens@example.com")

    def work(email: str) -> float:
        """Processor time of all threads: what the hash takes, whoever else computes meanwhile."""
        began = time.process_time()
        assert sign_in(api, email, "wrong").status_code == 401
        return time.process_time() - began

    known, unknown, without_password = work(EMAIL), work("nobody@example.com"), work("tokens@example.com")
    assert unknown > known / 2
    assert without_password > known / 2
    assert unknown < known * 2


def test_it_needs_no_redis(api_for: Callable[..., ApiUnderTest]) -> None:
    api = api_for(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    api.member(EMAIL, password=PASSWORD)
    assert sign_in(api).status_code == 200
    assert sign_in(api, password="wrong").status_code == 401


def test_an_address_that_is_none_is_not_believed(api: ApiUnderTest, database_url: str) -> None:
    """What a trusted proxy passes on from outside: the last hop that is an address counts. How entries may be written:
    tests/shared/test_client_addresses.py."""
    said = {
        "x" * 3000: "127.0.0.1",
        "unknown, 192.0.2.9": "192.0.2.9",
        "192.0.2.9, nonsense": "127.0.0.1",
        "": "127.0.0.1",
        "::ffff:192.0.2.9": "192.0.2.9",
        "192.0.2.9:5678": "192.0.2.9",
        '"[2001:db8:1:2:3::4]:443"': "2001:db8:1:2::/64",
    }
    for address in said:
        assert sign_in(api, address=address).status_code == 401
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT address FROM login_failures ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == list(said.values())


def test_an_ipv6_client_is_its_64_and_cannot_go_round_the_throttle(api: ApiUnderTest) -> None:
    api.member(EMAIL, password=PASSWORD)
    for number in range(LOGIN_FAILURES_PER_ACCOUNT):
        assert_problem(sign_in(api, password="wrong", address=f"[2001:db8:1:2::{number:x}]:4{number}"), 401)
    assert_problem(sign_in(api, address="2001:db8:1:2:ffff::9"), 429)
    assert sign_in(api, address="2001:db8:1:3::9").status_code == 200


def test_several_headers_of_forwarding_are_one_list(api: ApiUnderTest, database_url: str) -> None:
    """A client's own header stands first, whatever it says; as gunicorn hands them over: joined by commas."""
    sign_in(api, address="203.0.113.1,192.0.2.4:80")
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT address FROM login_failures")
        assert cursor.fetchall() == [("192.0.2.4",)]


def test_failures_older_than_a_minute_do_not_count(api: ApiUnderTest, database_url: str) -> None:
    api.member(EMAIL, password=PASSWORD)
    for _ in range(LOGIN_FAILURES_PER_ACCOUNT):
        sign_in(api, password="wrong")
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE login_failures SET at = at - make_interval(secs => %s)", (LOGIN_WINDOW,))
    assert sign_in(api).status_code == 200


def test_a_slow_hash_is_not_held_against_the_database(api: ApiUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine argon2 takes longer than the database may, and that is no fault of the database."""
    api.member(EMAIL, password=PASSWORD)

    def slow(verify: Callable[[], bool]) -> bool:
        time.sleep(1.2 * API_REQUEST_BUDGET)
        return verify()

    monkeypatch.setattr(api.resources.hasher, "_compute", slow)
    assert sign_in(api).status_code == 200


def test_signing_out_ends_the_token_at_once(api: ApiUnderTest) -> None:
    caller = api.member(EMAIL)
    assert caller.get("/api/auth/me").status_code == 200
    assert caller.post("/api/auth/logout").status_code == 204
    assert_problem(caller.get("/api/auth/me"), 401)


def test_no_password_and_no_token_is_kept(api: ApiUnderTest, database_url: str) -> None:
    api.member(EMAIL, password=PASSWORD)
    token = sign_in(api).get_json()["token"]
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT s::text || t::text FROM staff s JOIN staff_tokens t ON t.staff_id = s.id")
        rows = "".join(row[0] for row in cursor.fetchall())
    assert "argon2id" in rows
    assert PASSWORD not in rows
    assert token not in rows


@pytest.mark.parametrize(("role", "said"), [("sales", "ADMIN_EMAIL is the address of somebody"), ("admin", "")])
def test_an_admin_email_that_belongs_to_sales_is_said_and_nobody_is_promoted(
    api: ApiUnderTest, role: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    member = api.member(EMAIL, Role(role))
    settings = replace(api.resources.settings, admin_email=EMAIL.upper(), admin_password=PASSWORD)
    ensure_first_admin(api.resources.staff, settings)
    assert said in capsys.readouterr().out
    assert member.get("/api/auth/me").get_json()["role"] == role
    assert len(api.resources.staff.list()) == 1
