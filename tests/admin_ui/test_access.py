"""Who sees what, and that no form is taken from elsewhere."""

import re

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.admin_ui.conftest import ADMIN, HEALTH, Visitor
from tests.admin_ui.stand_in_api import PASSWORD, StandInApi
from tests.admin_ui.stand_in_records import a_customer, a_request, uid

OPEN = {"static", "front_door", "alive", "sign_in.show", "sign_in.enter", "sign_in.leave"}


def path_of(rule: Rule) -> str:
    """A path that the rule matches."""
    some = {"uuid": uid(1), "int": "0", "default": "a", "path": "a"}
    path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
    return re.sub(r"<(?:(\w+):)?\w+>", lambda match: some[match[1] or "default"], path)


def test_every_page_but_the_open_ones_asks_to_sign_in(app: Flask, visitor: Visitor) -> None:
    guarded = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in OPEN]
    assert guarded
    token = {"csrf_token": visitor.csrf_token("/login")}
    for path, rule in [(path_of(rule), rule) for rule in guarded]:
        get = "GET" in (rule.methods or ())
        answer = visitor.read(path) if get else visitor.client.post(path, data=token)
        assert (answer.location or "").startswith("/login?next="), f"{rule.methods} {path}: {answer.status}"


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


@pytest.mark.parametrize(
    "path", [HEALTH, "/admin/staff", "/admin/staff/new", f"/admin/staff/{uid(1)}", "/admin/activity", "/admin/queue/"]
)
def test_sales_is_refused_the_pages_for_admins(sales: Visitor, api: StandInApi, path: str) -> None:
    api.calls.clear()
    refused = sales.read(path)
    assert refused.status_code == 403
    assert "This page is for admins." in refused.text
    assert not api.calls


def test_sales_cannot_do_what_is_for_admins(sales: Visitor, api: StandInApi) -> None:
    api.state.requests.append(a_request("bek@example.org", "failed"))
    api.records.customers.append(a_customer())
    number, user = api.state.requests[0]["request_id"], api.records.customers[0]["user_id"]
    form = {"csrf_token": sales.csrf_token("/admin/customers"), "count": "1", "email": "hana@example.com"}
    for path in (
        f"/admin/requests/{number}/retry",
        "/admin/requests/retry",
        f"/admin/customers/{user}/erase",
        "/admin/staff/new",
        f"/admin/staff/{uid(1)}/tokens",
        "/admin/queue/queue/requests/failed/empty",
    ):
        assert sales.client.post(path, data=form).status_code == 403, path
    assert api.state.requests[0]["status"] == "failed"
    assert not api.records.customers[0]["erased"]


def test_sales_cannot_switch(sales: Visitor, api: StandInApi) -> None:
    form = {"mode": "sync_direct", "version": "9", "csrf_token": sales.csrf_token("/admin/customers")}
    assert sales.client.post(HEALTH, data=form).status_code == 403
    assert api.state.mode["mode"] == "async_queue"


def test_sales_sees_its_own_and_nothing_of_the_system(sales: Visitor, api: StandInApi) -> None:
    api.state.requests.append(a_request("anna@example.com", "duplicate"))
    assert sales.read("/admin").location == "/admin/customers"
    page = sales.read("/admin/requests").text
    assert "anna@example.com" in page
    assert "Already a customer" in page
    assert "System Health" not in page
    assert "Technical detail" not in page
    for path in ("/admin/customers", "/admin/requests", f"/admin/requests/{api.state.requests[0]['request_id']}"):
        sales.read(path)
    assert not [call for call in api.calls if "/system/" in call.path or "/staff" in call.path]


def test_an_admin_who_lost_the_role_is_told_so(admin: Visitor, api: StandInApi) -> None:
    for token in api.state.tokens:
        api.state.tokens[token] = {**api.state.tokens[token], "role": "sales"}
    assert admin.read(HEALTH).status_code == 403


def test_an_unknown_page_says_so(admin: Visitor) -> None:
    answer = admin.read("/admin/nothing")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
