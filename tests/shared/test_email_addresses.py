"""What an e-mail address is, and that one mailbox is written one way."""

import pytest

from tripwire_shared.email_address import domain_for_mail, email_problem, normalised_email

GOOD = [
    "anna@example.com",
    "o'neil+tag@example.co.uk",
    "a" * (254 - len("@example.com")) + "@example.com",
    f"a@{'b' * 63}.com",
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
    "a" * (255 - len("@example.com")) + "@example.com",
]
SAME = [
    ("  Anna@Example.COM ", "anna@example.com"),
    ("anna@BÜCHER.example", "anna@bücher.example"),
    ("anna@bu\u0308cher.example", "anna@bücher.example"),  # the same letter in two characters
    ("anna@XN--BCHER-KVA.example", "anna@bücher.example"),
    ("anna@\uff45xample.com", "anna@example.com"),
    ("anna@example。com", "anna@example.com"),
    ("anna@\u212aelvin.example", "anna@kelvin.example"),  # the sign for kelvin
    ("anna@exam\u200bple.com", "anna@example.com"),  # nothing to see between the two letters
    ("anna@example.ΒΑΣ", "anna@example.βασ"),
]


@pytest.mark.parametrize("email", GOOD)
def test_these_are_addresses(email: str) -> None:
    assert email_problem(email) is None


@pytest.mark.parametrize("email", BAD)
def test_these_are_none(email: str) -> None:
    assert email_problem(email)


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
