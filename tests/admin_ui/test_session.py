"""The session cookie: what it shows, when it ends."""

from base64 import urlsafe_b64decode

import pytest

from tests.admin_ui.conftest import ADMIN, HEALTH, Clock, Visitor, make_app
from tests.admin_ui.stand_in_api import StandInApi

OLD = "the-secret-key-before-for-tests-0123456789"
COOKIE = "tripwire_session"
MINUTE = 60.0
HOUR = 3600.0


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


def test_a_page_that_only_renews_itself_is_no_use(admin: Visitor, clock: Clock) -> None:
    for _ in range(4):
        clock.now += 9 * MINUTE
        last = admin.read(HEALTH, **{"Tripwire-Refresh": "idle"})
    assert last.status_code == 401
    assert admin.read("/admin").location.startswith("/login")


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
