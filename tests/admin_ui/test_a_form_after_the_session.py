"""A form that is sent when its session is over: nothing is done, and after signing in it is there again as it was."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.admin_ui.conftest import ADMIN, HEALTH, SALES, Clock, Visitor, csrf_token_in
from tests.admin_ui.stand_in_api import PASSWORD, StandInApi
from tests.admin_ui.stand_in_records import a_customer, a_request, a_token, uid
from tests.admin_ui.test_access import OPEN, path_of

NEW = "/admin/customers/new"
ANNA = {"email": "anna@example.com", "full_name": "Анна <Ж.>", "price": "7500", "currency": "KZT", "key": "one-key"}
IDLE = 31 * 60.0


def idle(api: StandInApi, clock: Clock, _: Visitor) -> None:
    clock.now += IDLE


def ended_by_the_api(api: StandInApi, clock: Clock, _: Visitor) -> None:
    api.state.tokens.clear()


def signed_out_elsewhere(api: StandInApi, clock: Clock, person: Visitor) -> None:
    person.client.post("/logout", data={"csrf_token": person.csrf_token(NEW)})


def browser_restarted(api: StandInApi, clock: Clock, person: Visitor) -> None:
    person.client.delete_cookie("tripwire_session")


ENDS = [idle, ended_by_the_api, signed_out_elsewhere, browser_restarted]
End = Callable[[StandInApi, Clock, Visitor], None]


def value_of(name: str, page: str) -> str | None:
    found = re.search(rf'<input[^>]* name="{name}"[^>]* value="([^"]*)"', page)
    return unescape(found[1]) if found else None


def send(person: Visitor, path: str, token: str, **fields: str) -> TestResponse:
    return person.client.post(path, data={**fields, "csrf_token": token})


def sign_in_at(person: Visitor, address: str, email: str = ADMIN) -> TestResponse:
    """Fills the sign-in page that somebody was led to."""
    page = person.read(address).text
    wanted = value_of("next", page) or ""
    form = {"email": email, "password": PASSWORD, "next": wanted, "csrf_token": csrf_token_in(page)}
    return person.client.post("/login", data=form)


@pytest.mark.parametrize("end", ENDS)
def test_a_filled_form_survives_the_end_of_its_session(sales: Visitor, api: StandInApi, clock: Clock, end: End) -> None:
    token = sales.csrf_token(NEW)
    end(api, clock, sales)
    api.calls.clear()
    sent = send(sales, NEW, token, **ANNA)
    assert sent.status_code == 303
    assert sent.location.startswith(f"/login?next={NEW}")
    page = sales.read(sent.location).text
    assert "You were signed out" in page
    assert "What you sent was not done, but it is kept" in page
    entered = sign_in_at(sales, sent.location, SALES)
    assert (entered.status_code, entered.location) == (303, NEW)
    back = sales.read(NEW).text
    assert {name: value_of(name, back) for name in ANNA} == ANNA
    assert "Nothing was done: you were signed out before this was sent." in back
    assert not api.state.requests
    assert send(sales, NEW, csrf_token_in(back), **ANNA).location.startswith("/admin/requests/")
    assert value_of("email", sales.read(NEW).text) == "", "it is shown once"


@pytest.mark.parametrize("end", ENDS)
def test_a_switch_is_asked_again_with_its_reason_and_not_done_by_itself(
    admin: Visitor, api: StandInApi, clock: Clock, end: End
) -> None:
    token = admin.csrf_token(f"{HEALTH}?switch=sync_direct")
    end(api, clock, admin)
    sent = send(admin, HEALTH, token, mode="sync_direct", version="9", reason="Redis wird neu “gestartet”")
    entered = sign_in_at(admin, sent.location)
    assert entered.location == f"{HEALTH}?switch=sync_direct"
    page = admin.read(entered.location).text
    assert value_of("reason", page) == "Redis wird neu “gestartet”"
    assert "Switch to direct mode?" in page
    assert "Nothing was done: you were signed out before this was sent." in page
    assert api.state.mode["mode"] == "async_queue"
    assert admin.switch("sync_direct", 9, "again").status_code == 303


def test_no_password_is_kept(admin: Visitor, clock: Clock) -> None:
    token = admin.csrf_token("/admin/staff/new")
    clock.now += IDLE
    form = {"email": "mara@example.com", "full_name": "Mara V.", "role": "admin", "password": "never-kept-anywhere"}
    sent = send(admin, "/admin/staff/new", token, **form)
    entered = sign_in_at(admin, sent.location)
    page = admin.read(entered.location).text
    assert value_of("full_name", page) == "Mara V."
    assert '<option value="admin" selected>' in page
    assert "never-kept-anywhere" not in page


def test_a_question_is_asked_again(admin: Visitor, api: StandInApi, clock: Clock) -> None:
    api.records.customers.append(a_customer())
    customer = f"/admin/customers/{api.records.customers[0]['user_id']}"
    api.records.tokens[uid(2)] = [a_token()]
    timur = f"/admin/staff/{uid(2)}"
    for path, fields, words in (
        (f"{customer}/erase", {"email": "hana@example.com"}, 'value="hana@example.com"'),
        (f"{timur}/active", {"active": "no"}, "Deactivate Timur S.?"),
        (f"{timur}/tokens", {"name": "CRM", "days": "365"}, 'value="CRM"'),
        (f"{timur}/tokens/{uid(9)}/revoke", {}, "Revoke “Website form”?"),
        (f"{timur}/role", {"role": "admin"}, '<option value="admin" selected>'),
        (f"{timur}/password", {"password": "long enough"}, "New password"),
    ):
        token = admin.csrf_token("/admin")
        clock.now += IDLE
        sent = send(admin, path, token, **fields)
        page = admin.read(sign_in_at(admin, sent.location).location)
        assert page.status_code == 200, path
        assert words in page.text, path
    assert not [call for call in api.calls if call.method in ("PATCH", "DELETE")]


def test_every_form_leads_back_to_a_page_that_can_be_read(
    app: Flask, admin: Visitor, api: StandInApi, clock: Clock
) -> None:
    """Also one that is added tomorrow: no POST leads to where only a POST can go."""
    api.records.customers.append(a_customer(user_id=uid(1)))
    api.state.requests.append(a_request("bek@example.org", "failed", request_id=uid(1)))
    forms = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ()) and rule.endpoint not in OPEN]
    assert len(forms) > 10
    for rule in forms:
        token = admin.csrf_token("/admin")
        for referrer in ("", f"http://localhost{path_of(rule)}", "http://localhost/admin/nothing"):
            clock.now += IDLE
            headers = {"Referer": referrer} if referrer else {}
            sent = admin.client.post(path_of(rule), data={"csrf_token": token}, headers=headers)
            assert sent.status_code == 303, rule
            back = sign_in_at(admin, sent.location).location
            assert admin.client.get(back, follow_redirects=True).status_code == 200, f"{rule} {referrer}: {back}"
            token = admin.csrf_token("/admin")


def test_what_one_person_typed_is_not_shown_to_another(admin: Visitor, clock: Clock) -> None:
    token = admin.csrf_token(NEW)
    clock.now += IDLE
    sent = send(admin, NEW, token, **ANNA)
    assert sign_in_at(admin, sent.location, SALES).location == NEW
    page = admin.read(NEW).text
    assert value_of("email", page) == ""
    assert "Nothing was done" not in page


def test_a_form_that_another_person_opened_in_this_browser_is_not_sent_as_ones_own(
    admin: Visitor, api: StandInApi
) -> None:
    token = admin.csrf_token(NEW)
    admin.sign_out()
    admin.sign_in(SALES)
    refused = send(admin, NEW, token, **ANNA)
    assert refused.status_code == 400
    assert "Nothing was done." in refused.text
    assert "anna@example.com" not in refused.text
    assert f'href="{NEW}">Try again' in refused.text
    assert value_of("email", admin.read(NEW).text) == ""
    assert not api.calls_of("POST", "/api/admin/tripwire/users")


def test_a_form_from_before_a_new_sign_in_is_there_again(admin: Visitor, api: StandInApi) -> None:
    """Two tabs: in one of them the person signs in anew."""
    token = admin.csrf_token(NEW)
    send(admin, "/login", token, email=ADMIN, password=PASSWORD)
    sent = send(admin, NEW, token, **ANNA)
    assert (sent.status_code, sent.location) == (303, NEW)
    back = admin.read(NEW).text
    assert value_of("email", back) == "anna@example.com"
    assert not api.calls_of("POST", "/api/admin/tripwire/users")


def test_a_sign_in_page_that_is_too_old_is_shown_again_with_the_address(visitor: Visitor, api: StandInApi) -> None:
    refused = visitor.client.post(
        "/login", data={"email": ADMIN, "password": PASSWORD, "csrf_token": "old", "next": NEW}
    )
    assert refused.status_code == 400
    assert f'value="{ADMIN}"' in refused.text
    assert "HTTPS" not in refused.text, "on the own machine that is not it"
    form = {"email": ADMIN, "password": PASSWORD, "next": NEW, "csrf_token": csrf_token_in(refused.text)}
    assert visitor.client.post("/login", data=form).location == NEW


def test_what_a_page_of_another_site_sends_takes_no_session_away(admin: Visitor, api: StandInApi) -> None:
    """The browser leaves our cookie away then, and would take another one in its place."""
    stranger = Visitor(admin.client.application)
    for site in ("cross-site", "same-site"):
        answer = stranger.client.post(NEW, data=ANNA, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 400
        assert "Set-Cookie" not in answer.headers
        assert "anna@example.com" not in answer.text
    api.calls.clear()
    own = {**ANNA, "csrf_token": "another"}
    assert admin.client.post(NEW, data=own, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert not api.calls


def test_signing_out_twice_is_no_error(admin: Visitor) -> None:
    token = admin.csrf_token("/admin")
    admin.sign_out()
    again = send(admin, "/logout", token)
    assert again.status_code == 303
    assert "You were signed out." in admin.read(again.location).text


def test_a_script_is_told_by_its_status(admin: Visitor, clock: Clock) -> None:
    token = admin.csrf_token("/admin")
    clock.now += IDLE
    answer = admin.client.post(
        "/admin/requests/retry", data={"csrf_token": token, "count": "3"}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 401


def test_a_kept_form_does_not_wait_for_ever(admin: Visitor, clock: Clock) -> None:
    token = admin.csrf_token(NEW)
    clock.now += IDLE
    sent = send(admin, NEW, token, **ANNA)
    clock.now += 3_601
    sign_in_at(admin, sent.location)
    assert value_of("email", admin.read(NEW).text) == ""
