"""What an e-mail address is, and that one mailbox is written one way."""

import re
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripwire_shared.email_address import both_forms, domain_for_mail, email_problem, normalised_email, readable_email

GOOD = [
    "anna@example.com",
    "o'neil+tag@example.co.uk",
    "a" * 64 + "@example.com",
    f"a@{'b' * 63}.{'b' * 63}.{'b' * 60}.com",
    f"a@{'b' * 63}.com",
    "anna@xn--bcher-kva.example",
    "anna@испытание.example",
    "anna@пример-1.example",
    "anna@例え.テスト",
    "anna@bücher.example",
    "anna@उदाहरण.परीक्षा",
    " anna@example.com\u00a0",
]
BAD = [
    "",
    "anna",
    "@example.com",
    "anna@",
    "anna@example",
    "anna@example.",
    "anna@.com",
    "anna@ex ample.com",
    "anna@-example.com",
    "an na@example.com",
    "änna@example.com",
    "anna@home@example.com",
    ".anna@example.com",
    "an..na@example.com",
    '"anna"@example.com',
    "anna@[192.0.2.1]",
    f"a@{'b' * 64}.com",
    "anna@xn--.com",
    "anna@i♥.example",
    "a" * 65 + "@example.com",
    f"a@{'b' * 63}.{'b' * 63}.{'b' * 63}.{'b' * 60}.com",
    f"a@{'.'.join(['äöü' * 12] * 6)}.com",  # longer in the form that is kept
    "anna\u212a@example.com",  # the sign for kelvin: in lower case a k, which is somebody else's
    "\u212a@example.com",
    "\u0130@example.com",
    "\uff41nna@example.com",  # wide letters
    "anna\u200b@example.com",
    "anna@1.2.3.4",
    "anna@example.123",
    "anna@\u0661.\u0662",
    "anna@ex\u0430mple.com",  # a Cyrillic letter among Latin ones
    "anna@xn--exmple-4nf.com",
    "anna@g\u03bfogle.com",  # a Greek one
    "anna@exam\u202eple.com",
    "a" * 60_000 + "@example.com",
    "a@" + "ü" * 60_000,
]
SAME = [
    ("  Anna@Example.COM ", "anna@example.com"),
    ("anna@BÜCHER.example", "anna@xn--bcher-kva.example"),
    ("anna@bu\u0308cher.example", "anna@xn--bcher-kva.example"),  # the same letter in two characters
    ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"),
    ("anna@\uff45xample.com", "anna@example.com"),
    ("anna@example。com", "anna@example.com"),
    ("anna@\u212aelvin.example", "anna@kelvin.example"),  # the sign for kelvin
    ("anna@exam\u200bple.com", "anna@example.com"),  # nothing to see between the two letters
    ("anna@example.ΒΑΣ", "anna@example.xn--mxab6c"),
]


@pytest.mark.parametrize("email", GOOD)
def test_these_are_addresses(email: str) -> None:
    assert email_problem(email) is None


@pytest.mark.parametrize("email", BAD)
def test_these_are_none(email: str) -> None:
    assert email_problem(email)


def test_people_read_the_domain_in_its_own_script() -> None:
    assert readable_email("anna@xn--bcher-kva.example") == "anna@bücher.example"
    for other in ("anna@example.com", "anna@xn--.com", "xn--bcher-kva", "a test", "anna@bücher.example"):
        assert readable_email(other) == other
    assert both_forms("anna@xn--bcher-kva.example") == ["anna@xn--bcher-kva.example", "anna@bücher.example"]
    assert both_forms("anna@example.com") == ["anna@example.com"]


@given(st.characters(min_codepoint=0x80), st.text(alphabet="ab.", max_size=3))
def test_nothing_before_the_at_becomes_ascii(character: str, around: str) -> None:
    email = f"{around}{character}{around}@example.com"
    assert email_problem(f"x{email}")
    assert not normalised_email(f"x{email}").isascii()


@given(st.from_regex(r"[a-z0-9.+_-]{1,66}@[a-z0-9.-]{1,40}", fullmatch=True))
def test_the_short_way_takes_nothing_that_the_rules_refuse(email: str) -> None:
    if email_problem(email) is None:
        with patch("tripwire_shared.email_address._PLAIN", re.compile("(?!)")):
            assert email_problem(email) is None


@pytest.mark.parametrize(("given", "kept"), SAME)
def test_one_mailbox_is_written_one_way(given: str, kept: str) -> None:
    assert normalised_email(given) == kept
    assert normalised_email(kept) == kept
    assert email_problem(given) is None


def test_two_domains_that_look_alike_stay_two() -> None:
    assert normalised_email("anna@straße.example") != normalised_email("anna@strasse.example")


def test_mail_goes_to_the_domain_that_dns_knows() -> None:
    assert domain_for_mail("anna@example.com") == "example.com"
    assert domain_for_mail("anna@straße.example") == "xn--strae-oqa.example"
