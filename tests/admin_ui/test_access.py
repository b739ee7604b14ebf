"""Who sees what, and that no form is taken from elsewhere."""

import pytest
from flask import Flask

from tests.admin_ui.conftest import ADMIN, HEALTH, Visitor
from tests.admin_ui.stand_in_api import PASSWORD, StandInApi, now

OPEN = {"static", "front_door", "alive", "sign_in.show", "sign_in.enter", "sign_in.leave"}


def test_every_page_but_the_open_ones_asks_to_sign_in(app: Flask, visitor: Visitor) -> None:
    guarded = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in OPEN]
    assert guarded
    for rule in guarded:
        assert visitor.read(rule.rule).location.startswith("/login?next="), rule.rule


def test_the_front_door_leads_to_the_dashboard(visitor: Visitor) -> None:
    assert visitor.read("/").location == "/admin"


def test_the_probe_answers_without_the_api_and_without_a_cookie(visitor: Visitor, api: StandInApi) -> None:
    api.stop()
    answer = visitor.read("/healthz")
    assert answer.json == {"status": "ok"}
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("token", [None, "", "another", "ünicode"])
@pytest.mark.parametrize("path", ["/login", "/logout", HEALTH])
def test_a_form_without_its_token_is_refused(admin: Visitor, api: StandInApi, path: str, token: str | None) -> None:
    api.calls.clear()
    form = {"email": ADMIN, "password": PASSWORD, "mode": "sync_direct", "version": "9"}
    refused = admin.client.post(path, data=form | ({} if token is None else {"csrf_token": token}))
    assert refused.status_code == 400
    assert "Nothing was done." in refused.text
    assert not api.calls


def test_sales_is_refused_the_system_page(sales: Visitor, api: StandInApi) -> None:
    api.calls.clear()
    refused = sales.read(HEALTH)
    assert refused.status_code == 403
    assert "This page is for admins." in refused.text
    assert not api.calls


def test_sales_cannot_switch(sales: Visitor, api: StandInApi) -> None:
    form = {"mode": "sync_direct", "version": "9", "csrf_token": sales.csrf_token("/admin")}
    assert sales.client.post(HEALTH, data=form).status_code == 403
    assert api.state.mode["mode"] == "async_queue"


def test_sales_sees_its_requests_and_nothing_of_the_system(sales: Visitor, api: StandInApi) -> None:
    row = {"request_id": "1", "email": "anna@example.com", "status": "duplicate", "accepted_at": now()}
    api.state.requests.append(row)
    page = sales.read("/admin").text
    assert "anna@example.com" in page
    assert "Already a customer" in page
    assert "System Health" not in page
    assert not [call for call in api.calls if "/system/" in call.path]


def test_an_admin_who_lost_the_role_is_told_so(admin: Visitor, api: StandInApi) -> None:
    for token in api.state.tokens:
        api.state.tokens[token] = {**api.state.tokens[token], "role": "sales"}
    assert admin.read(HEALTH).status_code == 403


def test_an_unknown_page_says_so(admin: Visitor) -> None:
    answer = admin.read("/admin/nothing")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
