"""The page behind a welcome mail's link: looking does not use it up, choosing does, once."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.conftest import ApiUnderTest
from tests.resources import Resources
from tests.shared.rows import Provisioned, provisioned, rows
from tripwire_shared.errors import DatabaseUnavailable

PASSWORD = "a password of mine"


@pytest.fixture
def customer(api: ApiUnderTest) -> Provisioned:
    return provisioned(api.resources)


@pytest.fixture
def link(api: ApiUnderTest, customer: Provisioned) -> str:
    assert customer.invitation_id is not None
    return "/invitations/" + api.resources.invitations.link(customer.invitation_id).rpartition("/")[2]


def choose(api: ApiUnderTest, link: str, password: str, again: str | None = None) -> TestResponse:
    return api.client.post(link, data={"password": password, "password_again": password if again is None else again})


def kept(resources: Resources) -> Any:
    [row] = rows(resources.database, "SELECT encrypted_password FROM auth.users")
    return row.encrypted_password


def assert_page(answer: TestResponse, status: int, *, form: bool) -> None:
    """A page for people that tells nobody the link: not kept, no referrer, nothing from elsewhere."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "text/html"
    assert ("<form" in answer.text) is form
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert answer.headers["X-Request-ID"]


def test_looking_does_not_use_it_up(api: ApiUnderTest, link: str) -> None:
    for method in ("GET", "HEAD", "GET"):
        answer = api.client.open(link, method=method)
        assert answer.status_code == 200
    assert_page(api.client.get(link), 200, form=True)
    assert kept(api.resources) is None
    assert choose(api, link, PASSWORD).status_code == 200


def test_choosing_sets_the_password_once(api: ApiUnderTest, link: str) -> None:
    assert_page(choose(api, link, PASSWORD), 200, form=False)
    chosen = kept(api.resources)
    assert api.resources.hasher.verify(chosen, PASSWORD)
    assert_page(choose(api, link, "another password"), 410, form=False)
    assert_page(api.client.get(link), 410, form=False)
    assert kept(api.resources) == chosen


def test_a_bad_password_leaves_the_link_open(api: ApiUnderTest, link: str, subtests: pytest.Subtests) -> None:
    for password, again in (
        ("1234567", None),
        ("x" * 129, None),
        ("", None),
        (PASSWORD, "not the same"),
        ("tab\tinside", None),
    ):
        with subtests.test(password[:12]):
            answer = choose(api, link, password, again)
            assert_page(answer, 422, form=True)
            assert 'role="alert"' in answer.text
            assert not password or password not in answer.text
    assert choose(api, link, PASSWORD).status_code == 200


def test_a_link_that_is_over_says_so_whatever_is_sent(
    api: ApiUnderTest, customer: Provisioned, link: str, subtests: pytest.Subtests
) -> None:
    ends = {
        "expired": "UPDATE invitations SET expires_at = now()",
        "newer": "UPDATE invitations SET revoked_at = now()",
        "used": "UPDATE invitations SET used_at = now()",
    }
    for word, statement in ends.items():
        with subtests.test(word):
            rows(api.resources.database, statement)
            answers = [api.client.get(link), choose(api, link, PASSWORD), choose(api, link, "short")]
            for answer in answers:
                assert_page(answer, 410, form=False)
                assert word in answer.text
            rows(api.resources.database, "UPDATE invitations SET used_at = NULL, revoked_at = NULL")
    assert kept(api.resources) is None


def test_a_link_that_we_did_not_make_is_404(api: ApiUnderTest, link: str, subtests: pytest.Subtests) -> None:
    for wrong in (link[:-3] + "AAA", link.partition(".")[0], "/invitations/x", "/invitations/%00", "/invitations/é.é"):
        with subtests.test(wrong):
            assert_page(api.client.get(wrong), 404, form=False)
            assert_page(choose(api, wrong, PASSWORD), 404, form=False)
            assert_page(choose(api, wrong, "short"), 404, form=False)
    assert kept(api.resources) is None


def test_its_style_sheet_is_allowed_and_there(api: ApiUnderTest, link: str) -> None:
    assert '<link rel="stylesheet" href="/invitations/static/invitation.css">' in api.client.get(link).text
    assert api.client.get("/invitations/static/invitation.css").status_code == 200


def test_the_link_is_never_logged(api: ApiUnderTest, link: str, capsys: pytest.CaptureFixture[str]) -> None:
    for answer in (api.client.get(link), choose(api, link, "short"), choose(api, link, PASSWORD)):
        assert answer.status_code in (200, 422)
    printed = capsys.readouterr()
    assert link.rpartition(".")[2] not in printed.out + printed.err


@pytest.mark.parametrize(
    ("language", "heading", "short", "done"),
    [
        ("en", "Choose a password", "must have at least 8 characters", "Your password is saved"),
        ("ru", "Придумайте пароль", "нужно не меньше 8 символов", "Пароль сохранён"),
        ("kk", "Құпиясөз ойлап табыңыз", "кемінде 8 таңбадан тұруы керек", "Құпиясөз сақталды"),
    ],
)
def test_it_speaks_the_language_that_the_reader_chooses(
    api: ApiUnderTest, link: str, language: str, heading: str, short: str, done: str
) -> None:
    at = f"{link}?lang={language}"
    shown = api.client.get(at)
    assert heading in shown.text
    assert f'<html lang="{language}">' in shown.text
    assert choose(api, at, "short").status_code == 422
    assert short in choose(api, at, "short").text
    assert done in choose(api, at, PASSWORD).text
    assert api.client.get(at).status_code == 410


def test_it_has_the_academys_own_language_name_and_way_on(api_for: Any) -> None:
    api = api_for(default_language="ru", academy_name="Школа", login_url="https://academy.example/login",
                  support_contact="help@academy.example")  # fmt: skip
    made = provisioned(api.resources)
    assert made.invitation_id is not None
    link = "/invitations/" + api.resources.invitations.link(made.invitation_id).rpartition("/")[2]
    shown = api.client.get(f"{link}?lang=xx").text
    for words in ("Школа · вводный курс", "Вопросы: help@academy.example", 'href="?lang=kk"'):
        assert words in shown, words
    assert 'href="https://academy.example/login"' in choose(api, link, PASSWORD).text
    assert "Ссылка уже использована" in api.client.get(link).text
    assert "Ссылка не работает" in api.client.get("/invitations/nothing").text


def test_while_the_database_is_away_it_says_so_in_words(api_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    api = api_for(default_language="kk")

    def away(*_: Any) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(type(api.resources.invitations), "open", away)
    answer = api.client.get("/invitations/any.thing")
    assert_page(answer, 503, form=False)
    assert "Бір минуттан кейін қайталап көріңіз" in answer.text
    assert answer.headers["Retry-After"] == "60"
