"""The welcome mail in each language, with and without what an academy may leave out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from tripwire_shared.answers.vocabulary import Language
from tripwire_shared.languages.catalogue import Academy
from tripwire_shared.mail.mail import Mail
from tripwire_shared.mail.mail_check import checked_bytes
from tripwire_shared.mail.welcome import WelcomeMail
from tripwire_shared.outbox.outbox import Channel, Message, Recipient

LINK = "https://welcome.example.com/invitations/a.b"
ALL = {"name": "Школа «Продажи»", "course": "Продажи с нуля", "login_url": "https://academy.example/login",
       "support_contact": "help@academy.example"}  # fmt: skip


def mail(academy: Academy, *, link: bool = True) -> Mail:
    sent: list[Mail] = []

    class Catching:
        @contextmanager
        def batch(self) -> Iterator[Callable[[Mail], None]]:
            yield sent.append

    links = SimpleNamespace(link=lambda _: LINK)
    welcome = WelcomeMail(cast("Any", links), Catching(), cast("Any", None), "welcome@example.com", academy)
    person = Recipient("anna@example.com", "Анна Ким")
    with welcome.batch() as deliver:
        invitation = uuid4() if link else None
        deliver(Message(7, Channel.MAIL, "o", uuid4(), uuid4(), invitation, {}, 1, 0, datetime.now(UTC), person))
    checked_bytes(sent[0])
    return sent[0]


@pytest.mark.parametrize(
    ("language", "subject", "lines"),
    [
        (Language.ENGLISH, "Your access to Продажи с нуля", ("Hello Анна Ким,", "The link works once, for 72 hours.")),
        (Language.RUSSIAN, "Доступ открыт: Продажи с нуля", (
            "Здравствуйте, Анна Ким!", "Ссылка одноразовая, действует 72 часа.",
            "Дальше входите здесь: https://academy.example/login", "Вопросы: help@academy.example",
        )),
        (Language.KAZAKH, "Сізге курс ашылды: Продажи с нуля", (
            "Сәлеметсіз бе, Анна Ким!", "Сілтеме бір рет қана жұмыс істейді және 72 сағат жарамды.",
        )),
    ],
)  # fmt: skip
def test_it_is_whole_in_each_language(language: Language, subject: str, lines: tuple[str, ...]) -> None:
    found = mail(Academy(**ALL, language=language))
    assert (found.subject, found.sender_name) == (subject, ALL["name"])
    assert f'<html lang="{language}">' in found.html
    for line in (*lines, LINK, ALL["name"]):
        assert line in found.text.splitlines()
    assert f'href="{LINK}"' in found.html
    assert f'href="{ALL["login_url"]}"' in found.html


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("link", [True, False])
def test_what_is_not_set_takes_its_line_away_and_names_have_a_default(language: Language, link: bool) -> None:
    found = mail(Academy(language=language), link=link)
    defaults = {"en": "the entry course", "ru": "вводный курс", "kk": "кіріспе курс"}
    assert defaults[language] in found.subject
    assert (LINK in found.text) is link
    assert "None" not in found.text
    assert "\n\n\n" not in found.text, "no gap where a line fell away"
    assert not [line for line in found.text.splitlines() if line.rstrip().endswith(":") and not link]
    without = {"en": "knows where to sign in", "ru": "подскажет менеджер", "kk": "менеджер айтады"}
    assert (without[language] in found.text) is not link
