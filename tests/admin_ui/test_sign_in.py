"""Signing in and out."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.admin_ui.conftest import ADMIN, HEALTH, SALES, Clock, Visitor, make_app
from tests.admin_ui.stand_in_api import PASSWORD, StandInApi


def test_the_right_password_leads_to_the_page_that_was_wanted(visitor: Visitor) -> None:
    asked = visitor.read(f"{HEALTH}?type=ERROR")
    assert (asked.status_code, asked.location) == (302, "/login?next=/admin/system-health?type%3DERROR")
    entered = visitor.sign_in(wanted=f"{HEALTH}?type=ERROR")
    assert (entered.status_code, entered.location) == (303, f"{HEALTH}?type=ERROR")
    assert "Dashboard" in visitor.read("/admin").text


@pytest.mark.parametrize(
    "elsewhere", ["https://example.net/", "//example.net", "/\\example.net", "/admin.example.net", "/admin/\nx", "x"]
)
def test_a_link_cannot_lead_out_of_the_house_after_sign_in(visitor: Visitor, elsewhere: str) -> None:
    assert visitor.sign_in(wanted=elsewhere).location == "/admin"


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/admin/customers?q=" + "a" * 5000, "/admin/customers"),
        ("/admin/requests?q=" + "ж" * 400, "/admin/requests"),
        ("/admin/" + "a" * 5000, "/admin"),
        ("/admin/requests?q=ж", "/admin/requests?q=%D0%B6"),
    ],
)
def test_what_is_too_long_for_an_address_leads_to_the_page_without_its_query(
    visitor: Visitor, wanted: str, led_to: str
) -> None:
    assert visitor.sign_in(wanted=wanted).location == led_to


def test_no_more_than_half_of_the_capacity_signs_in_here(api: StandInApi, clock: Clock) -> None:
    """Each waits for the API, which takes its time over a password."""
    app = make_app(api, clock, WEB_THREADS="4")
    people = [Visitor(app) for _ in range(4)]
    forms = [{"email": ADMIN, "password": PASSWORD, "csrf_token": one.csrf_token("/login")} for one in people]
    api.slowness = 1.0
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda pair: pair[0].client.post("/login", data=pair[1]), zip(people, forms, strict=True))
        )
    refused = [answer for answer in answers if answer.status_code == 429]
    assert sorted(answer.status_code for answer in answers) == [303, 303, 429, 429]
    assert all(answer.headers["Retry-After"] == "1" for answer in refused)
    assert "Too many people are signing in at this moment." in refused[0].text


def test_a_wrong_password_is_told_and_the_address_stays(visitor: Visitor) -> None:
    refused = visitor.sign_in(password="guess")
    assert refused.status_code == 401
    assert "Email or password is not right." in refused.text
    assert f'value="{ADMIN}"' in refused.text
    assert "guess" not in refused.text
    assert visitor.read("/admin").location.startswith("/login")


def test_the_throttle_says_how_long_to_wait(visitor: Visitor, api: StandInApi) -> None:
    api.state.login_wait = 48
    refused = visitor.sign_in()
    assert refused.status_code == 429
    assert "Too many tries. Wait 48 s, then try again." in refused.text
    assert refused.headers["Retry-After"] == "48"


def test_without_the_api_nobody_signs_in_and_the_page_says_why(visitor: Visitor, api: StandInApi) -> None:
    token = visitor.csrf_token("/login")
    api.stop()
    began = time.monotonic()
    answer = visitor.client.post("/login", data={"email": ADMIN, "password": "x", "csrf_token": token})
    assert answer.status_code == 503
    assert "The API cannot be reached." in answer.text
    assert time.monotonic() - began < 3


def test_the_api_learns_the_browsers_own_address(visitor: Visitor, api: StandInApi) -> None:
    visitor.sign_in(**{"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})
    [call] = api.calls_of("POST", "/api/auth/login")
    # 127.0.0.1, the peer here, is trusted; 198.51.100.7 is not: what stands left of it may be forged.
    assert call.headers["X-Forwarded-For"] == "198.51.100.7"


def test_an_untrusted_peer_cannot_choose_its_address(api: StandInApi, clock: object) -> None:
    stranger = Visitor(make_app(api, clock, TRUSTED_PROXIES="10.0.0.0/8"))  # type: ignore[arg-type]
    stranger.sign_in(**{"X-Forwarded-For": "203.0.113.9"})
    [call] = api.calls_of("POST", "/api/auth/login")
    assert call.headers["X-Forwarded-For"] == "127.0.0.1"


def test_signing_out_revokes_the_token_and_forgets_the_person(admin: Visitor, api: StandInApi) -> None:
    [token] = api.state.tokens
    left = admin.sign_out()
    assert (left.status_code, left.location) == (303, "/login?note=left")
    assert token not in api.state.tokens
    assert admin.read("/admin").location.startswith("/login")


def test_signing_out_without_the_api_says_that_the_session_ends_later(admin: Visitor, api: StandInApi) -> None:
    token = admin.csrf_token("/admin")
    api.stop()
    left = admin.client.post("/logout", data={"csrf_token": token})
    assert "The API could not be told" in admin.read(left.location).text
    assert admin.read("/admin").location.startswith("/login")


def test_signing_in_as_somebody_else_revokes_the_token_before(admin: Visitor, api: StandInApi) -> None:
    [before] = api.state.tokens
    form = {"email": SALES, "password": "correct horse battery", "csrf_token": admin.csrf_token("/admin")}
    assert admin.client.post("/login", data=form).status_code == 303
    assert before not in api.state.tokens
    assert SALES in admin.read("/admin/customers").text
