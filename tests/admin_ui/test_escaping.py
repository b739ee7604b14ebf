"""Nothing that somebody wrote becomes part of a page."""

import pytest

from tests.admin_ui.conftest import HEALTH, Visitor
from tests.admin_ui.stand_in_api import STAFF, StandInApi, now

SCRIPT = '<script>alert("x")</script>'
BREAKOUT = "\"><img src=x onerror='alert(1)'>"


@pytest.mark.parametrize("evil", [SCRIPT, BREAKOUT])
def test_log_lines_mode_and_processes_are_escaped(admin: Visitor, api: StandInApi, evil: str) -> None:
    api.state.note("ERROR", evil, **{evil: evil, "nested": {"deep": [evil]}})
    api.state.note(evil, "of no known type")
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
    monkeypatch.setitem(STAFF, "eve@example.com", {"id": "3", "email": SCRIPT, "full_name": SCRIPT, "role": "sales"})
    row = {"request_id": "1", "email": SCRIPT, "status": BREAKOUT, "accepted_at": now()}
    api.state.requests.append(row)
    visitor.sign_in("eve@example.com")
    page = visitor.read("/admin").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_what_was_typed_at_sign_in_is_escaped(visitor: Visitor) -> None:
    page = visitor.sign_in(BREAKOUT, "x").text
    assert "<img" not in page
