"""A text is found by a part of it, whatever the case and the Unicode form of either."""

# ruff: noqa: RUF001  # letters that look alike are what it is about

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tripwire_shared.search_text import folded, search_text, searched

ALIKE = [
    ("Анна", "анна"),
    ("ӘЛИЯ ҚҰНАНБАЕВА", "әлия құнанбаева"),
    ("Алёна", "АЛЕНА"),
    ("İstanbul", "istanbul"),
    ("ISTANBUL", "\u0131stanbul"),
    ("Işık", "ışık"),
    ("ΑΛΕΞΙΟΣ", "αλεξιος"),
    ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
    ("Straße", "STRASSE"),
    ("Zoë", "ZOE\u0308"),
    ("\u212bngström", "ångström"),
    ("\uff21nna", "anna"),
    ("ﬁona", "FIONA"),
    ("Դավիթ", "ԴԱՎԻԹ"),
    ("ᲜᲘᲜᲝ", "ნინო"),
    ("Anna\u00a0K.", "anna  k."),
    ("\u2066Anna\u2069", "anna"),
    ("e\u200d\u0301", "é"),
]
texts = st.text(max_size=12) | st.text(alphabet="абвйАБёЁıİiIςσΣßsS ẞée\u0301가각안\U0001f469", max_size=12)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_these_are_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@given(texts)
@example("ά".upper())
def test_neither_case_nor_form_matters(text: str) -> None:
    assert folded(text).isascii()
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert folded(unicodedata.normalize(form, text)) == folded(text)
    assert folded(text.casefold()) == folded(text)


@given(texts, texts, texts)
def test_each_part_of_words_is_found(before: str, part: str, after: str) -> None:
    plain = f"x{part}x"  # so that no mark at the edge of the part belongs to a letter outside
    assert folded(plain) in folded(f"{before} {plain} {after}")


@given(
    st.text(alphabet="абвг안나\U0001f469\U0001f468aé", max_size=6),
    st.text(alphabet="абвг안나\U0001f469\U0001f468aé", max_size=3),
)
def test_nothing_else_is_found(text: str, part: str) -> None:
    assert (folded(part) in folded(text)) == (part in text)


def test_an_address_is_found_in_both_of_its_forms() -> None:
    text = search_text("Anna K.", "anna@xn--bcher-kva.example")
    for part in ("anna k", "@XN--BCHER", "Bücher.EX", "anna@bu\u0308cher"):
        assert folded(part) in text


def test_signs_of_like_are_taken_literally_and_nothing_looks_for_nothing() -> None:
    assert searched("100%_\\") == "%100\\%\\_\\\\%"
    assert searched("\uff05") == "%\\%%"
    assert [searched(part) for part in (None, "", "  ", "\u200b")] == [None] * 4
