"""Staff and tokens: adding people, their roles and passwords, and a token that is shown once."""

import re

import pytest

from tests.admin_ui.conftest import Visitor
from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import a_token, ago, an_entry, uid

LIST = "/admin/staff"
TIMUR = f"{LIST}/{uid(2)}"
DANA = f"{LIST}/{uid(1)}"
SECRET = "tw_EXAMPLE_k3Qd9fXv2mZr7LwB1sNp8HtYc"


def test_people_are_listed_with_role_state_and_tokens(admin: Visitor) -> None:
    page = admin.read(LIST).text
    for words in ("Dana A.", "Timur S.", "Rosa C.", "Deactivated", "All 3", "Active 2"):
        assert words in page, words
    assert "Rosa C." not in admin.read(f"{LIST}?show=active").text


def test_somebody_is_added(admin: Visitor, api: StandInApi) -> None:
    form = {"email": "mara@example.com", "full_name": "Mara V.", "role": "sales", "password": "long enough"}
    answer = admin.send(f"{LIST}/new", f"{LIST}/new", **form)
    assert answer.location == f"{LIST}/{api.records.staff[-1]['id']}"
    assert api.calls_of("POST", "/api/admin/staff")[0].body == form
    assert "Mara V. is added" in admin.read(answer.location).text


def test_an_e_mail_that_is_taken_is_said_and_the_password_not_sent_back(admin: Visitor) -> None:
    form = {"email": "dana@example.com", "full_name": "Mara V.", "role": "sales", "password": "not-to-be-shown"}
    answer = admin.send(f"{LIST}/new", f"{LIST}/new", **form)
    assert answer.status_code == 409
    assert "This e-mail belongs to somebody already." in answer.text
    assert 'value="Mara V."' in answer.text
    assert "not-to-be-shown" not in answer.text


def test_name_role_password_and_activity_are_changed(admin: Visitor, api: StandInApi) -> None:
    timur = api.records.staff[1]
    for what, fields, expected in (
        ("role", {"role": "admin"}, {"role": "admin"}),
        ("role", {"role": "sales"}, {"role": "sales"}),
        ("password", {"password": "a new password"}, {}),
        ("full_name", {"full_name": "Тимур Ж."}, {"full_name": "Тимур Ж."}),
        ("active", {"active": "no"}, {"active": False}),
        ("active", {"active": "yes"}, {"active": True}),
    ):
        assert admin.send(f"{TIMUR}/{what}", TIMUR, **fields).location == TIMUR, what
        assert timur | expected == timur, what
    bodies = [call.body for call in api.calls_of("PATCH", f"/api/admin/staff/{uid(2)}")]
    assert {"password": "a new password"} in bodies


def test_a_refused_name_stays_typed(admin: Visitor, api: StandInApi) -> None:
    refused = admin.send(f"{TIMUR}/full_name", TIMUR, full_name="\u202e")
    assert refused.status_code == 422
    assert "No direction characters." in refused.text
    assert 'value="\u202e"' in refused.text
    assert api.records.staff[1]["full_name"] == "Timur S."


def test_the_last_admin_stays_and_a_short_password_is_refused(admin: Visitor) -> None:
    kept = admin.send(f"{DANA}/active", DANA, active="no")
    assert kept.status_code == 409
    assert "The last active admin must stay." in kept.text
    short = admin.send(f"{TIMUR}/password", TIMUR, password="short")
    assert short.status_code == 422
    assert "At least 8 characters." in short.text


def test_changing_ones_own_role_asks_first(admin: Visitor, api: StandInApi) -> None:
    asked = admin.send(f"{DANA}/role", DANA, role="sales")
    assert (asked.status_code, asked.location) == (303, f"{DANA}?ask=own-role&role=sales")
    assert not [call for call in api.calls if call.method == "PATCH"]
    question = admin.read(asked.location).text
    assert "Change your own role to Sales?" in question
    assert admin.send(f"{DANA}/role", DANA, role="admin").location == DANA, "that changes nothing"
    done = admin.send(f"{DANA}/role", asked.location, role="sales", sure="yes")
    assert (done.status_code, done.location) == (303, "/admin/customers")
    assert api.calls_of("PATCH", f"/api/admin/staff/{uid(1)}")[-1].body == {"role": "sales"}
    assert "This is your own account." in admin.read(f"{DANA}?ask=deactivate").text
    assert "This is your own account." not in admin.read(f"{TIMUR}?ask=deactivate").text


def test_the_question_about_the_own_role_is_not_asked_of_others(admin: Visitor) -> None:
    assert "Change your own role" not in admin.read(f"{TIMUR}?ask=own-role&role=admin").text
    for role in ("admin", "nothing", ""):
        assert "Change your own role" not in admin.read(f"{DANA}?ask=own-role&role={role}").text


def test_deactivating_asks_and_says_what_stops(admin: Visitor) -> None:
    question = admin.read(f"{TIMUR}?ask=deactivate").text
    assert "Deactivate Timur S.?" in question
    assert "Sign-in and 2 tokens stop working within a second." in question


def test_a_token_is_shown_once_and_nowhere_else(admin: Visitor, api: StandInApi) -> None:
    assert "Name" in admin.read(f"{TIMUR}?ask=token").text
    made = admin.send(f"{TIMUR}/tokens", TIMUR, name="CRM import", days="90")
    assert made.status_code == 200
    assert made.text.count(SECRET) == 1
    assert "Copy it now. It is shown only this once" in made.text
    assert made.headers["Cache-Control"] == "no-store"
    assert SECRET not in str(made.headers)
    assert api.calls_of("POST", f"/api/admin/staff/{uid(2)}/tokens")[0].body == {
        "name": "CRM import",
        "expires_in_days": 90,
    }
    # Loaded again, the page neither shows it nor makes another one.
    again = admin.read(f"{TIMUR}/tokens")
    assert again.location == TIMUR
    assert SECRET not in admin.read(TIMUR).text
    assert len(api.records.tokens[uid(2)]) == 1


def test_a_token_without_end_is_asked_for_without_days(admin: Visitor, api: StandInApi) -> None:
    admin.send(f"{TIMUR}/tokens", TIMUR, name="Website form", days="")
    assert api.calls_of("POST", f"/api/admin/staff/{uid(2)}/tokens")[0].body == {"name": "Website form"}


def test_revoking_asks_says_when_it_was_used_and_is_said_once_done(admin: Visitor, api: StandInApi) -> None:
    token = a_token(expires_at=ago(-5.5 * 86_400), last_used_at=ago(60))
    api.records.tokens[uid(2)] = [token]
    page = admin.read(TIMUR).text
    assert "in 5 d " in page
    question = admin.read(f"{TIMUR}?ask=revoke&token={uid(9)}").text
    assert "Revoke “Website form”?" in question
    assert re.search(r"It was last used 1 min( [1-9] s)? ago\.", question), "seconds may pass meanwhile"
    for said in ("The token is revoked", "The token was revoked already"):
        assert admin.send(f"{TIMUR}/tokens/{uid(9)}/revoke", TIMUR).location == TIMUR
        assert said in admin.read(TIMUR).text


def test_nobody_of_that_number(admin: Visitor) -> None:
    assert admin.read(f"{LIST}/{uid(99)}").status_code == 404


@pytest.mark.parametrize(
    ("action", "detail", "sentence"),
    [
        (
            "mode switched",
            {"mode": "sync_direct", "reason": "Redis restarts"},
            "switched to direct mode: “Redis restarts”",
        ),
        ("request retried", {}, "retried a failed request"),
        ("staff added", {"staff_id": uid(2), "role": "sales"}, "added timur@example.com as Sales"),
        ("staff changed", {"staff_id": uid(2), "active": False, "role": None}, "deactivated timur@example.com"),
        ("token revoked", {"staff_id": uid(2)}, "revoked a token of timur@example.com"),
        ("queue changed", {"what": "delete", "job": "abc"}, "deleted a job from Redis (job abc)"),
        ("something new", {}, "something new"),
    ],
)
def test_activity_reads_as_sentences(
    admin: Visitor, api: StandInApi, action: str, detail: dict[str, object], sentence: str
) -> None:
    api.records.activity.append(an_entry(action, detail=detail))
    page = admin.read("/admin/activity").text
    assert f"<strong>dana@example.com</strong> {sentence}" in page
    assert "from 192.0.2.7" in page


def test_activity_is_filtered_by_person_and_kind_and_goes_on(admin: Visitor, api: StandInApi) -> None:
    api.records.page = 2
    api.records.activity += [an_entry("request retried") for _ in range(3)]
    page = admin.read(f"/admin/activity?staff_id={uid(1)}&action=request retried").text
    query = api.calls_of("GET", "/api/admin/tripwire/activity")[-1].query
    assert (query["staff_id"], query["action"]) == ([uid(1)], ["request retried"])
    assert f"before={api.records.activity[1]['id']}" in page
    assert "Nothing matches." in admin.read(f"/admin/activity?staff_id={uid(2)}").text
