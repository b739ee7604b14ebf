"""Whatever is sent: an answer with its own problem document, never a 5xx."""

import json
from typing import Any

import pytest
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
    "number of 5,000 digits": b'{"price": ' + b"9" * 5000 + b"}",
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
    ("full_name", ""),
    ("full_name", "   "),
    ("full_name", {"first": "Anna"}),
    ("full_name", "A" * 201),
    ("full_name", "A" * 10_000),
    ("full_name", "Anna\nK."),
    ("full_name", "Anna\x00"),
    ("full_name", "\ud800"),
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
    "status=odd",
    "ids=1,2",
]


def send(manager: Caller, body: bytes, content_type: str = "application/json") -> TestResponse:
    return manager.post(CREATE, data=body, content_type=content_type)


def test_malformed_json_is_400(manager: Caller, subtests: pytest.Subtests) -> None:
    for case, body in MALFORMED.items():
        with subtests.test(case):
            assert_problem(send(manager, body), 400)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_is_not_json_is_415(manager: Caller, content_type: str) -> None:
    assert_problem(send(manager, json.dumps(GOOD).encode(), content_type), 415)


def test_64_kib_and_more_is_413(manager: Caller, subtests: pytest.Subtests) -> None:
    body = json.dumps(GOOD).encode()
    for size in (64 * 1024, 64 * 1024 + 1, 1024 * 1024):
        with subtests.test(str(size)):
            assert_problem(send(manager, body + b" " * (size - len(body))), 413)
    assert send(manager, body + b" " * (64 * 1024 - 1 - len(body))).status_code == 202


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
    for number, name in enumerate(names):
        with subtests.test(name):
            body = {"email": f"anna{number}@example.com", "full_name": name}
            accepted = manager.post(CREATE, json=body)
            assert accepted.status_code == 202
            assert manager.get(accepted.headers["Location"]).get_json()["full_name"] == name


def test_a_bad_idempotency_key_is_422(manager: Caller, subtests: pytest.Subtests) -> None:
    for key in ("", "x" * 256, "tab\there", "\x7f"):
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
        *(("reason", value) for value in ("two\nlines", "x" * 501, 5)),
        *(("version", value) for value in ("1", 1.5, True)),
        ("why", "x"),
    ]
    for field, value in bad:
        with subtests.test(field, value=repr(value)[:40]):
            answer = admin.post(path, json={"mode": "sync_direct", field: value})
            assert list(assert_problem(answer, 422)["errors"]) == [field]
    assert admin.get(path).get_json()["mode"] == "async_queue"


def test_a_bad_member_of_staff_is_422(admin: Caller, subtests: pytest.Subtests) -> None:
    for field, value in (("role", "boss"), ("email", "x"), ("full_name", "\x00"), ("password", "short"), ("id", 1)):
        with subtests.test(field):
            body = {"email": "new@example.com", "full_name": "New", "role": "sales", field: value}
            assert list(assert_problem(admin.post("/api/admin/staff", json=body), 422)["errors"]) == [field]


def test_a_bad_token_is_401(api: ApiUnderTest, subtests: pytest.Subtests) -> None:
    for given in ("", "Bearer", "Bearer ", "Basic eA==", "Bearer tsm_x", "Bearer \xff\xfe", "x"):
        with subtests.test(given):
            assert_problem(api.nobody.get("/api/auth/me", headers={"Authorization": given}), 401)
