"""The session cookie: what it shows, when it ends."""

from base64 import urlsafe_b64decode

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.admin_ui.conftest import ADMIN, HEALTH, Clock, Visitor, csrf_token_in, make_app
from tests.admin_ui.stand_in_api import PASSWORD, STAFF, StandInApi
from tests.admin_ui.stand_in_records import uid

OLD = "the-secret-key-before-for-tests-0123456789"
COOKIE = "tripwire_session"
MINUTE = 60.0
HOUR = 3600.0
NEW = "/admin/customers/new"


def test_the_cookie_is_for_http_only_and_this_site(visitor: Visitor) -> None:
    flags = visitor.sign_in().headers["Set-Cookie"].split("; ")[1:]
    assert set(flags) == {"HttpOnly", "Path=/", "SameSite=Lax"}


def test_outside_the_own_machine_the_cookie_is_secure(app: object, visitor: Visitor) -> None:
    answer = visitor.client.get("/login", base_url="https://console.example.com")
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_nothing_can_be_read_in_the_cookie(admin: Visitor, api: StandInApi) -> None:
    [token] = api.state.tokens
    cookie = admin.client.get_cookie(COOKIE)
    assert cookie is not None
    for readable in (cookie.value.encode(), urlsafe_b64decode(cookie.value)):
        assert token.encode() not in readable
        assert ADMIN.encode() not in readable


def test_an_altered_cookie_is_nobodys(admin: Visitor) -> None:
    cookie = admin.client.get_cookie(COOKIE)
    assert cookie is not None
    middle = len(cookie.value) // 2
    other = "A" if cookie.value[middle] != "A" else "B"
    admin.client.set_cookie(COOKIE, cookie.value[:middle] + other + cookie.value[middle + 1 :])
    assert admin.read("/admin").location.startswith("/login")


def test_signing_in_changes_the_csrf_token(visitor: Visitor) -> None:
    before = visitor.csrf_token("/login")
    visitor.sign_in()
    assert visitor.csrf_token("/admin") != before


def test_a_session_ends_after_half_an_hour_without_use(admin: Visitor, clock: Clock) -> None:
    clock.now += 29 * MINUTE
    assert admin.read("/admin").status_code == 200
    clock.now += 29 * MINUTE
    assert admin.read("/admin").status_code == 200
    clock.now += 31 * MINUTE
    asked = admin.read("/admin")
    assert "You were signed out after 30 minutes" in admin.read(asked.location).text
    assert "note=ended" in admin.read("/admin").location


def test_a_page_that_only_renews_itself_is_no_use(admin: Visitor, clock: Clock) -> None:
    for _ in range(4):
        clock.now += 9 * MINUTE
        last = admin.read(HEALTH, **{"Tripwire-Refresh": "idle"})
    assert last.status_code == 401
    assert admin.read("/admin").location == "/login?next=/admin&note=ended", "the page that is loaded then says why"


def test_a_session_ends_after_twelve_hours_although_it_is_used(admin: Visitor, clock: Clock) -> None:
    for _ in range(35):
        clock.now += 20 * MINUTE
        assert admin.read("/admin").status_code == 200
    clock.now += 21 * MINUTE
    assert admin.read("/admin").status_code == 302


def test_a_token_that_the_api_no_longer_knows_ends_the_session(admin: Visitor, api: StandInApi) -> None:
    api.state.tokens.clear()
    asked = admin.read("/admin")
    assert "note=revoked" in asked.location
    assert "Sign in" in admin.read(asked.location).text
    assert not api.calls_of("GET", "/api/admin/system/logs")
    assert "note=revoked" in admin.read(HEALTH).location, "a browser may load a page twice, or several at once"
    admin.sign_in()
    admin.sign_out()
    assert admin.read("/admin").location == "/login?next=/admin", "who has signed in since knows it"


@pytest.mark.parametrize(("keys", "still_in"), [({"SECRET_KEY_PREVIOUS": OLD}, True), ({}, False)])
def test_after_a_change_of_key_only_the_previous_one_is_still_read(
    api: StandInApi, clock: Clock, keys: dict[str, str], still_in: bool
) -> None:
    before = Visitor(make_app(api, clock, SECRET_KEY=OLD))
    before.sign_in()
    cookie = before.client.get_cookie(COOKIE)
    assert cookie is not None
    after = Visitor(make_app(api, clock, SECRET_KEY="another-secret-key-for-tests-9876543210", **keys))
    after.client.set_cookie(COOKIE, cookie.value)
    assert (after.read("/admin").status_code == 200) is still_in


def test_over_tls_the_cookie_is_for_this_host_alone(visitor: Visitor) -> None:
    """TLS ends at a trusted proxy, which says so, whatever Host it passes on."""
    behind = {"X-Forwarded-Proto": "https"}
    cookie = visitor.read("/login", **behind).headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} == set(cookie.split("; ")[1:])
    behind |= {"Cookie": cookie.partition(";")[0], "Sec-Fetch-Site": "same-origin"}
    form = {"email": ADMIN, "password": PASSWORD, "csrf_token": csrf_token_in(visitor.read("/login", **behind).text)}
    entered = visitor.client.post("/login", data=form, headers=behind)
    assert entered.status_code == 303
    assert entered.headers["Set-Cookie"].startswith(f"__Host-{COOKIE}=")


def test_whoever_is_not_trusted_cannot_say_that_there_is_tls(api: StandInApi, clock: Clock) -> None:
    stranger = Visitor(make_app(api, clock, TRUSTED_PROXIES="10.0.0.0/8"))
    cookie = stranger.read("/login", **{"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "Secure" not in cookie


def test_a_neighbours_cookie_is_not_read_over_tls(admin: Visitor) -> None:
    assert admin.read("/admin").status_code == 200
    assert admin.read("/admin", **{"X-Forwarded-Proto": "https"}).location.startswith("/login")


# Characters of one to four bytes, and what has to be escaped somewhere.
LONG = st.builds(lambda some: (some * 1000)[:900], st.text('aж한🙂\\"<&=;%/ ', min_size=1, max_size=9))


@settings(
    max_examples=15,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(LONG, LONG, st.sampled_from([NEW, HEALTH, "/admin/staff/new"]))
def test_no_cookie_is_longer_than_browsers_take(
    app: Flask, api: StandInApi, clock: Clock, one: str, other: str, path: str
) -> None:
    """Whatever is typed, wanted or named: of a person whose name is long, with a form and a notice waiting."""
    clock.now = 1_790_000_000.0
    person = Visitor(app)
    cookies: list[str] = []

    def seen(answer: TestResponse) -> TestResponse:
        cookies.extend(answer.headers.getlist("Set-Cookie"))
        assert answer.status_code < 500
        assert len(answer.headers.get("Location", "")) < 4_000
        return answer

    seen(person.client.get("/login", query_string={"next": f"/admin/customers?q={one}"}))
    seen(person.sign_in(ADMIN, wanted=f"/admin/{one}"))
    api.state.tokens = {token: {**STAFF[ADMIN], "full_name": other[:200]} for token in api.state.tokens}
    form = {
        "email": f"x{one}",
        "full_name": other,
        "reason": one[:500],
        "mode": "sync_direct",
        "version": "9",
        "next": one,
    }
    form |= {"price": "5000", "currency": other[:9], "key": one[:30], "role": "sales", "password": other}
    token = csrf_token_in(seen(person.read(NEW)).text)
    clock.now += 31 * MINUTE
    assert seen(person.client.post(path, data={**form, "csrf_token": token})).status_code == 303
    assert seen(person.sign_in(ADMIN, wanted=NEW)).status_code == 303
    token = csrf_token_in(seen(person.read(NEW)).text)
    seen(person.client.post(path, data={**form, "csrf_token": token}))
    assert person.read(NEW).status_code == 200, "still signed in"
    assert max(len(cookie.encode()) for cookie in cookies) <= 4_000


def test_a_long_notice_and_a_long_name_do_not_cost_the_session(admin: Visitor, api: StandInApi) -> None:
    """Who has the longest name and address there can be stays signed in, whatever is to be said."""
    name = "\U0001f642" * 200
    api.state.tokens = {token: {**STAFF[ADMIN], "full_name": name} for token in api.state.tokens}
    api.records.staff[1]["full_name"] = name
    timur = f"/admin/staff/{uid(2)}"
    answer = admin.send(f"{timur}/role", timur, role="admin")
    assert answer.status_code == 303
    assert len(answer.headers["Set-Cookie"]) <= 4_000
    assert admin.read(timur).status_code == 200
