"""Who sees what, and that no form is taken from elsewhere."""

import re
import time

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.admin_ui.conftest import ADMIN, HEALTH, SALES, Visitor
from tests.admin_ui.stand_in_api import PASSWORD, StandInApi
from tests.admin_ui.stand_in_records import a_customer, a_request, uid
from tripwire_admin_ui.auth.scripted_requests import QUEUE_DATA
from tripwire_shared.timings import TOKEN_CACHE_TTL, UI_IDENTITY_KEPT

OPEN = {"static", "front_door", "alive", "metrics", "sign_in.show", "sign_in.enter", "sign_in.leave"}


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
        if rule.endpoint in QUEUE_DATA:  # for a script, which then loads its page anew
            assert answer.status_code == 401, path
        else:
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


def give_role(api: StandInApi, role: str) -> None:
    """To everybody who is signed in; what the console was told before is old by then."""
    for token in api.state.tokens:
        api.state.tokens[token] = {**api.state.tokens[token], "role": role}
    time.sleep(UI_IDENTITY_KEPT)


def test_an_admin_who_lost_the_role_has_the_pages_of_sales_at_once(admin: Visitor, api: StandInApi) -> None:
    give_role(api, "sales")
    assert admin.read("/admin").location == "/admin/customers"
    page = admin.read("/admin/customers")
    assert "My customers" in page.text
    assert "System Health" not in page.text
    refused = admin.read(HEALTH)
    assert refused.status_code == 403
    assert "Your role is Sales." in refused.text
    assert "My customers" in refused.text
    assert "System Health" not in refused.text
    assert admin.read("/admin", **{"Tripwire-Refresh": "idle"}).status_code == 401, "an open page is loaded anew"
    form = {"mode": "sync_direct", "version": "9", "csrf_token": admin.csrf_token("/admin/customers")}
    assert admin.client.post(HEALTH, data=form).status_code == 403


def test_a_manager_who_became_an_admin_has_the_menu_at_once(sales: Visitor, api: StandInApi) -> None:
    assert "System Health" not in sales.read("/admin/customers").text
    give_role(api, "admin")
    assert "System Health" in sales.read("/admin/customers").text
    assert sales.read(HEALTH).status_code == 200
    assert sales.read("/admin/queue/0/data/queues.json").status_code != 403


def test_what_the_console_was_told_of_a_person_and_what_the_api_keeps_are_under_a_second() -> None:
    assert UI_IDENTITY_KEPT + TOKEN_CACHE_TTL < 1


def test_without_the_api_a_person_is_whom_it_named_last_and_sees_nothing(admin: Visitor, api: StandInApi) -> None:
    give_role(api, "admin")
    api.stop()
    page = admin.read(HEALTH)
    assert "The API cannot be reached" in page.text
    assert "System Health" in page.text


def test_a_page_of_one_person_is_not_renewed_for_another(app: Flask, admin: Visitor) -> None:
    reader = re.search(r'data-reader="(\w+)"', admin.read(HEALTH).text)
    assert reader
    own = {"Tripwire-Refresh": "idle", "Tripwire-For": reader[1]}
    assert admin.read("/admin/customers", **own).status_code == 200
    admin.sign_out()
    admin.sign_in(SALES)
    assert admin.read("/admin/customers", **own).status_code == 401


def test_an_unknown_page_says_so(admin: Visitor) -> None:
    answer = admin.read("/admin/nothing")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
