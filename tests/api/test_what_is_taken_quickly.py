"""The short way for bodies that are right makes just what the schema makes, and takes nothing that it refuses."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from tests.api.conftest import CREATE, Caller, assert_problem
from tripwire_api.http.body_rules import _SUSPECT, _UNREADABLE, DEPTH_AT_MOST
from tripwire_api.http.request_body import NewCustomerSchema, quick_customer

SCHEMA = NewCustomerSchema()
ANNA = {"email": "anna@example.com", "full_name": "Anna K."}
NAMES = ("email", "full_name", "password", "price", "currency")

anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers())
almost_right: dict[str, st.SearchStrategy[Any]] = {
    "email": st.emails()
    | st.sampled_from([" Anna@Example.COM ", "anna@bücher.example", "a@b", "annaK@example.com", "a..b@example.com"])
    | st.builds("{}@{}".format, st.text(max_size=70), st.sampled_from(["example.com", "xn--bcher-kva.example"]))
    | st.builds("a@{}".format, st.text(alphabet="abé\u0430\u03bf\u0661.-1", max_size=12))
    | st.sampled_from(["anna\u212a@example.com", "a@1.2.3.4", "a" * 65 + "@example.com", "a@ex\u0430mple.com"]),
    "full_name": st.text(max_size=210)
    | st.sampled_from(["Ж" * 200, "Ж" * 201, "   ", "Anna\u2028K.", "\u200b"])
    | st.text(alphabet="Ae\u0301 \u200d\u202e\u2066\u3164\u2800\uffff\U000e0041\U0001fae8", max_size=4),
    "password": st.none() | st.text(min_size=6, max_size=130),
    "price": st.integers(-2, 3) | st.sampled_from([10**9, 10**9 + 1, True, 5000.0, "5000"]),
    "currency": st.sampled_from(["KZT", "EUR", "kzt", "K1T", "KZTT", "ÄÖÜ", ""]),
}
bodies = st.fixed_dictionaries(
    {"email": almost_right["email"], "full_name": almost_right["full_name"]},
    optional={name: almost_right[name] for name in NAMES[2:]},
)
wild = st.dictionaries(st.sampled_from([*NAMES, "more"]), anything | st.text(max_size=300), max_size=7) | anything


def by_the_schema(body: Any) -> Any:
    try:
        return SCHEMA.load(body)
    except ValidationError:
        return None


@settings(max_examples=1000, deadline=None)
@given(body=bodies | wild)
@example(body={**ANNA, "password": None})
@example(body={**ANNA, "price": True})
@example(body={**ANNA, "more": 1})
@example(body={"email": "anna@example.com"})
@example(body=[ANNA])
def test_what_it_takes_the_schema_takes_alike(body: Any) -> None:
    quick = quick_customer(body)
    assert quick is None or quick == by_the_schema(body)


@settings(max_examples=300, deadline=None)
@given(body=bodies)
def test_it_takes_all_that_is_right(body: Any) -> None:
    """Or else it would be no short way; a true or a whole float as a price is the schema's to judge."""
    customer = by_the_schema(body)
    if customer is not None and type(body.get("price", 0)) is int:
        assert quick_customer(body) == customer


@settings(max_examples=500, deadline=None)
@given(
    text=st.text(max_size=5) | st.sampled_from(["\x7f", "\x80", "\x9f", "\xa0", "\n", "\\", "Â"]), escaped=st.booleans()
)
def test_no_body_with_an_unreadable_character_goes_by_unread(text: str, escaped: bool) -> None:
    body = json.dumps({"full_name": text}, ensure_ascii=escaped).encode()
    assert _SUSPECT.search(body) or not _UNREADABLE.search(text)


def test_no_deep_body_goes_by_unread(manager: Caller) -> None:
    deep = "[" * (DEPTH_AT_MOST + 1) + "]" * (DEPTH_AT_MOST + 1)
    answer = manager.post(CREATE, data=f'{{"email": {deep}}}', content_type="application/json")
    assert assert_problem(answer, 400)["detail"] == "The body is nested too deeply."


@pytest.mark.parametrize("type_", ["application/json", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_by_whichever_way_the_answer_is_the_same(manager: Caller, type_: str) -> None:
    answer = manager.post(
        CREATE, data='{"email": "anna@example.com", "full_name": "Anna\\u0020K."}', content_type=type_
    )
    assert answer.status_code == 202
    assert answer.get_json()["email"] == "anna@example.com"


def test_an_answer_written_by_hand_is_what_its_schema_says(manager: Caller) -> None:
    """Also where the address has letters that JSON writes another way."""
    answer = manager.post(CREATE, json={**ANNA, "email": "o'neil+\u0022@bücher.example".replace('"', "")})
    assert answer.status_code == 202
    assert answer.content_type == "application/json"
    assert answer.get_json()["email"] == "o'neil+@bücher.example"
    assert answer.content_length == len(answer.data)
    names = [name.lower() for name, _ in answer.headers]
    assert len(names) == len(set(names)), "no header twice"
    for name in ("cache-control", "x-content-type-options", "x-request-id", "location", "retry-after"):
        assert name in names


def test_a_given_request_id_is_kept_and_others_are_all_different(manager: Caller) -> None:
    given_id = manager.post(CREATE, json=ANNA, headers={"X-Request-ID": "from-the-proxy-1"})
    assert given_id.headers["X-Request-ID"] == "from-the-proxy-1"
    ids = {manager.get("/api/auth/me").headers["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5
    assert all(len(one) == 32 for one in ids)


def test_an_unsound_request_id_is_not_repeated(manager: Caller) -> None:
    assert "<" not in manager.get("/api/auth/me", headers={"X-Request-ID": "<script>alert"}).headers["X-Request-ID"]
