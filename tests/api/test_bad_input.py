"""Whatever is sent: an answer with its own problem document, never a 5xx."""

import json
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.api.conftest import ApiUnderTest, Caller, assert_problem

CREATE = "/api/admin/tripwire/users"
GOOD = {"email": "anna@example.com", "full_name": "Anna K."}
SOME_ID = "2f9fd0a6-6c8e-4c6b-9a2b-3f6f2f0e8a11"

MALFORMED = {
    "cut": b"{",
    "comma too many": b'{"email": "anna@example.com",}',
    "utf-16": b"\xff\xfe\x00",
    "latin": b'{"email": "\xff@example.com"}',
    "word": b"nonsense",
    "nothing": b"",
    "more behind it": b'{"email": "anna@example.com"} {}',
    "deep list": b"[" * 60_000,
    "deep object": b'{"email": ' * 900 + b"1" + b"}" * 900,
}

BAD_FIELDS: list[tuple[str, Any]] = [
    ("email", 5),
    ("email", None),
    ("email", ["anna@example.com"]),
    ("email", "anna"),
    ("email", "anna@example"),
    ("email", "anna\x00@example.com"),
    ("email", "änna@example.com"),
    ("email", "a" * 250 + "@example.com"),
    ("email", "x' OR '1'='1"),
    ("email", "anna\u212a@example.com"),  # the sign for kelvin, in lower case a k
    ("email", "\u0130@example.com"),
    ("email", "a" * 65 + "@example.com"),
    ("email", "a@1.2.3.4"),
    ("email", "anna@ex\u0430mple.com"),  # a Cyrillic letter among Latin ones
    ("full_name", ""),
    ("full_name", "   "),
    ("full_name", {"first": "Anna"}),
    ("full_name", "A" * 201),
    ("full_name", "A" * 10_000),
    ("full_name", "Anna\nK."),
    ("full_name", "Anna\x00"),
    ("full_name", "\ud800"),
    ("full_name", "\u200b\u200d"),
    ("full_name", "\u3164"),
    ("full_name", "\u2800"),
    ("full_name", "\u0301\ufe0f"),
    ("full_name", "anna\u202egpj"),
    ("full_name", "\u2066Anna\u2069"),
    ("full_name", "Anna\uffff"),
    ("password", "1234567"),
    ("password", "x" * 129),
    ("password", 12345678),
    ("password", "eight\ud800chars"),
    ("price", "5000"),
    ("price", 1.5),
    ("price", -1),
    ("price", 1_000_000_001),
    ("price", True),
    ("price", float("inf")),
    ("price", float("nan")),
    ("currency", "kzt"),
    ("currency", "KZTT"),
    ("currency", "KZT\n"),
    ("currency", ["KZT"]),
    ("surprise", 1),
    ("status", "provisioned"),
]

BAD_LIST_QUERIES = [
    *(f"limit={value}" for value in ("0", "501", "x", "-1", "1.5", "9" * 5000)),
    *(f"cursor={value}" for value in ("%00", "x", "////", "A" * 150)),
    *(f"q={value}" for value in ("%00", "x" * 300)),
    *(f"from={value}" for value in ("x", "2026-13-01", "2026-11-24T25:00", "2026-W54-1", "0000-01-01", "9" * 5000)),
    "status=odd",
    "ids=1,2",
]
# As JSON writes numbers, whole or not: none of these is a price.
NO_PRICES = (
    "9" * 5000,
    "-" + "9" * 5000,
    "1e999",
    "-1e999",
    "NaN",
    "Infinity",
    "-Infinity",
    "1.5",
    "9223372036854775808",
)


def send(manager: Caller, body: bytes, content_type: str = "application/json") -> TestResponse:
    return manager.post(CREATE, data=body, content_type=content_type)


def test_malformed_json_is_400(manager: Caller, subtests: pytest.Subtests) -> None:
    for case, body in MALFORMED.items():
        with subtests.test(case):
            assert_problem(send(manager, body), 400)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_is_not_json_is_415(manager: Caller, content_type: str) -> None:
    assert_problem(send(manager, json.dumps(GOOD).encode(), content_type), 415)


def test_json_is_utf_8_and_sent_as_it_is(manager: Caller) -> None:
    body = json.dumps(GOOD).encode()
    for charset in ("utf-16", "windows-1251", "x"):
        assert_problem(send(manager, body, f"application/json; charset={charset}"), 415)
    for encoding in ("gzip", "br", "x"):
        headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
        assert_problem(manager.post(CREATE, data=body, headers=headers), 415)
    headers = {"Content-Encoding": "identity", "Content-Type": 'application/json; charset="UTF-8"'}
    assert manager.post(CREATE, data=b"\xef\xbb\xbf" + body, headers=headers).status_code == 202


def test_nothing_has_no_type(manager: Caller, admin: Caller) -> None:
    """Some clients name one all the same; a route that takes a body says that it is missing."""
    for content_type in ("", "application/x-www-form-urlencoded", "application/json"):
        retried = admin.post(f"/api/admin/tripwire/requests/{SOME_ID}/retry", data=b"", content_type=content_type)
        assert_problem(retried, 404)
        assert_problem(send(manager, b"", content_type), 400)
        assert_problem(admin.post("/api/admin/staff", data=b"", content_type=content_type), 400)


def test_more_than_64_kib_is_413(manager: Caller, subtests: pytest.Subtests) -> None:
    body = json.dumps(GOOD).encode()
    for size in (64 * 1024 + 1, 1024 * 1024):
        with subtests.test(str(size)):
            assert_problem(send(manager, body + b" " * (size - len(body))), 413)
    assert send(manager, body + b" " * (64 * 1024 - len(body))).status_code == 202


def test_a_field_that_comes_twice_is_refused_at_any_depth(
    manager: Caller, admin: Caller, subtests: pytest.Subtests
) -> None:
    path, what = "/api/admin/tripwire/activity/queue", '"what": "empty", "detail"'
    for who, where, body, field in (
        (manager, CREATE, '{"email": "a@example.com", "full_name": "A", "email": "a@example.com"}', "email"),
        (manager, CREATE, '{"email": "a@example.com", "full_name": "A", "\\u0065mail": "b@example.com"}', "email"),
        (manager, CREATE, '{"x": [{"y": 1, "y": 1}]}', "y"),
        (admin, path, f'{{{what}: {{"queue": "a", "queue": "b"}}}}', "queue"),
        (admin, "/api/auth/login", '{"email": "a", "password": "b", "password": "c"}', "password"),
    ):
        with subtests.test(body):
            answer = who.post(where, data=body, content_type="application/json")
            assert list(assert_problem(answer, 422)["errors"]) == [field]


def test_no_number_is_too_long_to_name_its_field(manager: Caller, admin: Caller, subtests: pytest.Subtests) -> None:
    tokens = f"/api/admin/staff/{admin.id}/tokens"
    for number in NO_PRICES:
        for who, path, body, field in (
            (manager, CREATE, '{"email": "a@example.com", "full_name": "A", "price": %s}', "price"),
            (admin, "/api/admin/system/mode", '{"mode": "async_queue", "version": %s}', "version"),
            (admin, tokens, '{"name": "x", "expires_in_days": %s}', "expires_in_days"),
        ):
            with subtests.test(f"{field} {number[:20]}"):
                answer = who.post(path, data=body % number, content_type="application/json")
                assert list(assert_problem(answer, 422)["errors"]) == [field]


moments = st.datetimes(
    timezones=st.none() | st.builds(lambda m: timezone(timedelta(minutes=m)), st.integers(-1439, 1439))
)
spellings = st.one_of(
    moments.map(datetime.isoformat),
    moments.map(lambda moment: moment.isoformat().replace("+", " ")),
    st.dates().flatmap(
        lambda day: st.sampled_from([f"{day}", f"{day:%Y%m%d}", "{}-W{:02}-{}".format(*day.isocalendar())])
    ),
    st.text(alphabet="0123456789-+:.TWZtz ", max_size=30),
    st.text(max_size=10),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(since=spellings, until=spellings)
def test_no_time_breaks_a_list(admin: Caller, since: str, until: str) -> None:
    for path in (CREATE, "/api/admin/tripwire/requests"):
        answer = admin.get(path, query_string={"from": since, "to": until})
        if answer.status_code != 200:
            assert set(assert_problem(answer, 422)["errors"]) <= {"from", "to"}


def test_a_parameter_that_comes_twice_is_refused(admin: Caller) -> None:
    for path, name in ((CREATE, "q"), ("/api/admin/system/logs", "type"), ("/api/admin/tripwire/requests", "status")):
        answer = admin.get(f"{path}?{name}=&limit=1&{name}=x")
        assert list(assert_problem(answer, 422)["errors"]) == [name]


def test_empty_parameters_say_nothing_in_any_list(admin: Caller, subtests: pytest.Subtests) -> None:
    """Whatever a list can be asked for, as its description names it."""
    asked = 0
    for path, methods in admin.get("/openapi.json").get_json()["paths"].items():
        names = [one["name"] for one in methods.get("get", {}).get("parameters", ()) if one["in"] == "query"]
        if names and "{" not in path:
            with subtests.test(path):
                answer = admin.get(f"{path}?{'&'.join(f'{name}=' for name in names)}")
                assert answer.status_code == 200, answer.text
                assert set(answer.get_json()) == set(admin.get(path).get_json())
                asked += 1
    assert asked >= 7


def test_a_bad_field_is_422_and_named(manager: Caller, subtests: pytest.Subtests) -> None:
    for field, value in BAD_FIELDS:
        with subtests.test(field, value=repr(value)[:60]):
            errors = assert_problem(manager.post(CREATE, json={**GOOD, field: value}), 422)["errors"]
            assert list(errors) == [field]
            assert errors[field]
            assert all(isinstance(message, str) for message in errors[field])


def test_json_that_is_no_object_is_422(manager: Caller, subtests: pytest.Subtests) -> None:
    for body in (b"[]", b'"text"', b"5", b"null", b"true"):
        with subtests.test(body.decode()):
            assert assert_problem(send(manager, body), 422)["errors"]


def test_an_empty_body_names_what_is_missing(manager: Caller) -> None:
    assert set(assert_problem(manager.post(CREATE, json={}), 422)["errors"]) == {"email", "full_name"}


def test_strange_names_are_only_names(manager: Caller, subtests: pytest.Subtests) -> None:
    names = ["Robert'); DROP TABLE sales;--", "<script>alert(1)</script>", "{{7*7}}", "Ān 안 🙂"]
    names += ["👩\u200d💻", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0010a000", "Ж" * 200]
    for number, name in enumerate(names):
        with subtests.test(name):
            body = {"email": f"anna{number}@example.com", "full_name": name}
            accepted = manager.post(CREATE, json=body)
            assert accepted.status_code == 202
            assert manager.get(accepted.headers["Location"]).get_json()["full_name"] == name


def test_a_name_is_kept_in_one_form_and_counted_so(manager: Caller) -> None:
    for number, name in enumerate(("\u00a0Zoe\u0308 K.\u2003", "e\u0301" * 200)):
        accepted = manager.post(CREATE, json={"email": f"a{number}@example.com", "full_name": name})
        assert accepted.status_code == 202
        kept = unicodedata.normalize("NFC", name).strip()
        assert manager.get(accepted.headers["Location"]).get_json()["full_name"] == kept


def test_a_bad_idempotency_key_is_422(manager: Caller, subtests: pytest.Subtests) -> None:
    for key in ("", "x" * 256, "tab\there", "\x7f", "cl\u00e9", "\u00a0"):
        with subtests.test(repr(key)[:20]):
            answer = manager.post(CREATE, json=GOOD, headers={"Idempotency-Key": key})
            assert list(assert_problem(answer, 422)["errors"]) == ["Idempotency-Key"]


def test_a_bad_query_is_422_and_named(manager: Caller, admin: Caller, subtests: pytest.Subtests) -> None:
    for query in BAD_LIST_QUERIES:
        with subtests.test(query[:40]):
            errors = assert_problem(manager.get(f"/api/admin/tripwire/requests?{query}"), 422)["errors"]
            assert list(errors) == [query.partition("=")[0]]
    for query in ("limit=0", "limit=501", "type=odd", "before=x", "before=0", "before=" + "9" * 30):
        with subtests.test(query):
            errors = assert_problem(admin.get(f"/api/admin/system/logs?{query}"), 422)["errors"]
            assert list(errors) == [query.partition("=")[0]]


def test_unknown_ids_are_404(admin: Caller, subtests: pytest.Subtests) -> None:
    for part in ("x", "1", SOME_ID, SOME_ID + "x", "%00", "..%2f..%2fetc%2fpasswd", "'"):
        with subtests.test(part):
            assert_problem(admin.get(f"/api/admin/tripwire/requests/{part}"), 404)
            assert_problem(admin.ask("PATCH", f"/api/admin/staff/{part}", json={"active": False}), 404)
            assert_problem(admin.ask("DELETE", f"/api/admin/staff/{admin.id}/tokens/{part}"), 404)


def test_unknown_paths_and_methods_are_problems_too(admin: Caller) -> None:
    assert_problem(admin.get("/api/nothing"), 404)
    refused = admin.ask("PUT", CREATE)
    assert_problem(refused, 405)
    assert "POST" in refused.headers["Allow"]


def test_a_bad_sign_in_is_422(api: ApiUnderTest, subtests: pytest.Subtests) -> None:
    good = {"email": "a@example.com", "password": "p"}
    bad: list[dict[str, Any]] = [
        {},
        {**good, "email": 1},
        {**good, "email": "a\x00@example.com"},
        {**good, "email": "\ud800@example.com"},
        {**good, "email": "a" * 300},
        {**good, "password": "\ud800"},
        {**good, "password": "p" * 2000},
        {**good, "otp": 1},
    ]
    for body in bad:
        with subtests.test(repr(body)[:60]):
            assert_problem(api.nobody.post("/api/auth/login", json=body), 422)


def test_a_bad_switch_is_422_and_switches_nothing(admin: Caller, subtests: pytest.Subtests) -> None:
    path = "/api/admin/system/mode"
    bad: list[tuple[str, Any]] = [
        *(("mode", value) for value in ("fast", None, 1)),
        *(("reason", value) for value in ("two\nlines", "x" * 501, 5, "a\u202eb", "\u200b")),
        *(("version", value) for value in ("1", 1.5, True)),
        ("why", "x"),
    ]
    for field, value in bad:
        with subtests.test(field, value=repr(value)[:40]):
            answer = admin.post(path, json={"mode": "sync_direct", field: value})
            assert list(assert_problem(answer, 422)["errors"]) == [field]
    assert admin.get(path).get_json()["mode"] == "async_queue"


def test_a_bad_member_of_staff_is_422(admin: Caller, subtests: pytest.Subtests) -> None:
    for field, value in (
        *(("role", "boss"), ("email", "x"), ("full_name", "\x00"), ("password", "short"), ("id", 1)),
        *(("full_name", "\u200b"), ("full_name", "a\u202eb"), ("email", "\u212a@example.com")),
    ):
        with subtests.test(field):
            body = {"email": "new@example.com", "full_name": "New", "role": "sales", field: value}
            assert list(assert_problem(admin.post("/api/admin/staff", json=body), 422)["errors"]) == [field]


def test_a_bad_token_is_401(api: ApiUnderTest, subtests: pytest.Subtests) -> None:
    for authorization in ("", "Bearer", "Bearer ", "Basic eA==", "Bearer tsm_x", "Bearer \xff\xfe", "x"):
        with subtests.test(authorization):
            assert_problem(api.nobody.get("/api/auth/me", headers={"Authorization": authorization}), 401)
