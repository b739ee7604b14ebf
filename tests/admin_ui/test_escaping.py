"""Nothing that somebody wrote becomes part of a page."""

import pytest

from tests.admin_ui.conftest import HEALTH, Visitor
from tests.admin_ui.stand_in_api import STAFF, StandInApi, now
from tests.admin_ui.stand_in_records import a_customer, a_request, a_token, an_entry, uid

SCRIPT = '<script>alert("x")</script>'
BREAKOUT = "\"><img src=x onerror='alert(1)'>"


@pytest.mark.parametrize("evil", [SCRIPT, BREAKOUT])
def test_log_lines_mode_and_processes_are_escaped(admin: Visitor, api: StandInApi, evil: str) -> None:
    api.state.note("ERROR", evil, **{evil: evil, "nested": {"deep": [evil]}})
    api.state.mode |= {"changed_by": evil, "reason": evil}
    api.state.processes.append((evil, 4000))
    api.state.behind.add(4000)
    page = admin.read(HEALTH).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("&lt;") >= 7


def test_a_reason_that_is_shown_again_is_escaped(admin: Visitor, api: StandInApi) -> None:
    api.switch_by("mara@example.com", "sync_direct", SCRIPT)
    answer = admin.switch("sync_direct", 9, BREAKOUT)
    assert answer.status_code == 409
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text


def test_names_of_people_and_customers_are_escaped(
    visitor: Visitor, api: StandInApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = {"id": uid(3), "email": SCRIPT, "full_name": SCRIPT, "role": "sales", "active": True}
    monkeypatch.setitem(STAFF, "eve@example.com", eve)
    api.state.requests.append(a_request(SCRIPT, full_name=BREAKOUT))
    visitor.sign_in("eve@example.com")
    assert_harmless(visitor.read("/admin/requests").text, at_least=2)


@pytest.mark.parametrize("evil", [SCRIPT, BREAKOUT])
def test_everything_that_the_lists_show_is_escaped(admin: Visitor, api: StandInApi, evil: str) -> None:
    who = {"id": uid(7), "email": evil, "full_name": evil}
    shown = {"full_name": evil, "manager": who, "currency": evil}
    one = a_request(evil, "failed", error=evil, **shown)
    customer = a_customer(evil, **shown)
    api.state.requests += [one, a_request(evil, **shown)]
    api.records.customers.append(customer)
    api.records.steps[one["request_id"]] = [
        {"step": step, "at": now(), "detail": dict.fromkeys(("text", "cause", "door", "by"), evil)}
        for step in ("accepted", "attempt_started", "attempt_failed", "failed", "retried", "mail_failed", evil)
    ]
    member = {"role": "sales", "active": True, "tokens": 1, "created_at": now(), "last_seen_at": None}
    api.records.staff.append({**who, **member})
    api.records.tokens[uid(7)] = [a_token(evil, id=uid(8), created_by=who)]
    entry = an_entry(evil, staff=who, detail={evil: evil}, address=evil, user_id=customer["user_id"])
    api.records.activity += [
        entry,
        an_entry("token made", detail={"name": evil}),
        an_entry("queue changed", detail={"what": evil, "job": evil}),
    ]
    for path in (
        "/admin/requests",
        f"/admin/requests/{one['request_id']}",
        "/admin/requests?ask=retry&manager_id=" + uid(7),
        "/admin/customers",
        f"/admin/customers/{customer['user_id']}?ask=erase",
        "/admin/staff",
        f"/admin/staff/{uid(7)}?ask=deactivate",
        f"/admin/staff/{uid(7)}?ask=revoke&token={uid(8)}",
        "/admin/activity",
    ):
        assert_harmless(admin.read(path).text, at_least=2)


@pytest.mark.parametrize("evil", [SCRIPT, BREAKOUT])
def test_what_was_asked_or_typed_is_escaped(admin: Visitor, api: StandInApi, evil: str) -> None:
    for path in ("/admin/requests", "/admin/customers", "/admin/activity"):
        given = dict.fromkeys(("q", "mode", "manager_id", "from", "to", "staff_id", "action", "token", "since"), evil)
        assert_harmless(admin.client.get(path, query_string={**given, "when": "range"}).text, at_least=0)
    for path in ("/admin/customers/new", "/admin/staff/new"):
        form = dict.fromkeys(("email", "full_name", "price", "currency", "role", "key"), evil)
        answer = admin.client.post(path, data={**form, "csrf_token": admin.csrf_token("/admin/requests")})
        assert_harmless(answer.text, at_least=0)


def assert_harmless(page: str, *, at_least: int) -> None:
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("&lt;") >= at_least


def test_what_was_typed_at_sign_in_is_escaped(visitor: Visitor) -> None:
    page = visitor.sign_in(BREAKOUT, "x").text
    assert "<img" not in page
