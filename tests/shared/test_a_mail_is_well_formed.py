"""A mail's bytes, written by hand, read back by the library: whatever a text holds, it stays where it was put."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.resources import Resources
from tests.shared.delivering import send_all
from tests.shared.mail_server import MailServer, plain_mail_server
from tests.shared.rows import events, messages, provisioned, rows, waiting_mails
from tripwire_shared.languages.catalogue import Academy
from tripwire_shared.mail import mail as writer
from tripwire_shared.mail import mail_check
from tripwire_shared.mail.mail import Mail
from tripwire_shared.mail.mail_check import checked_bytes
from tripwire_shared.mail.welcome import WelcomeMail
from tripwire_shared.outbox.outbox import Channel, Message, Recipient
from tripwire_shared.outbox.outcomes import FailedForGood

HEADERS = ["Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
ENCODED_HEADER = "=?utf-8?q?a=0D=0ABcc=3A_evil=40example=2Enet?="
# What stood in names of public bug reports, and what ends a line for one reader or another.
AWKWARD = [
    ENCODED_HEADER, "=?utf-8?b?DQpCY2M6IGV2aWxAZXhhbXBsZS5uZXQ=?=", "=?utf-8?q?evil?=", "a =?x?q?", "?=",
    "--=_alternative", "--=_alternative--", "Anna\r\nBcc: evil@example.net", "\n.\n", "a\rb", "From a", ".",
    "Anna\r\n\r\n.\r\nMAIL FROM:<evil@example.net>", "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i", "a\x01\x7f\x9fb",
    "\u202eevil\u202c", "\u200f\u2066x\u2069", "e\u0301" * 60, "A" * 300, "Ы" * 300, "🙂" * 50, "👩\u200d🚀" * 20,
    "山田\u3000太郎", "Anna  K.\xa0B.", "<b>&amp;</b>", "{{ 7 * 7 }}", "evil@example.net, b", "\ufeffx", "\ufdd0",
    "\U000e0001",
]  # fmt: skip
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200),
    st.text(st.sampled_from('=?utf-8qbQB_\r\n :;,@<>"\\.-\t\x85\u2028\u202eЫ'), min_size=1, max_size=60),
    st.lists(st.sampled_from(AWKWARD), min_size=1, max_size=3).map(" ".join),
)
NO_BREAKS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=300)


def a_mail(name: str) -> Mail:
    return Mail(
        message_id="welcome-1@example.com",
        sender="welcome@example.com",
        recipient="anna+x@example.com",
        subject=f"Welcome, {name}".strip(),
        text=f"Hello {name},\n\n{name}\n.\nFrom here\n",
        html=f"<p>{name}</p>\n",
        date=datetime(2026, 3, 1, 9, 0, tzinfo=UTC),
    )


def welcome_mail(name: str) -> Mail:
    """As the customer of this name would get it."""
    sent: list[Mail] = []

    class Catching:
        @contextmanager
        def batch(self) -> Iterator[Callable[[Mail], None]]:
            yield sent.append

    links = SimpleNamespace(link=lambda _: "https://welcome.example.com/invitations/a.b?c=1&d=2")
    welcome = WelcomeMail(cast("Any", links), Catching(), cast("Any", None), "Welcome@Академия.example", Academy())
    person = Recipient("anna@bücher.example", name)
    with welcome.batch() as deliver:
        deliver(Message(7, Channel.MAIL, "o", uuid4(), uuid4(), uuid4(), {}, 1, 0, datetime.now(UTC), person))
    return sent[0]


def parts_of(content: bytes) -> tuple[EmailMessage, str, str]:
    found = message_from_bytes(content, policy=policy.default)
    assert not found.defects
    text, html = found.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    for part in (text, html):
        assert part.keys() == ["Content-Type", "Content-Transfer-Encoding"]
        assert not part.defects
    return found, text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def words_of(html: str) -> tuple[str, list[str]]:
    """What a reader of the HTML sees, and where its links lead."""
    seen: list[str] = []
    links: list[str] = []
    parser = HTMLParser()
    parser.handle_data = seen.append  # type: ignore[method-assign]
    parser.handle_starttag = lambda _, given: links.extend(v or "" for k, v in given if k == "href")  # type: ignore[method-assign]
    parser.feed(html)
    parser.close()
    return "".join(seen), links


@given(NO_BREAKS)
@example(ENCODED_HEADER)
@example("--=_alternative")
@example("A" * 300)
@example("Ы" * 300)
def test_a_text_stays_where_it_was_put(name: str) -> None:
    mail = a_mail(name)
    content = checked_bytes(mail)
    found, text, html = parts_of(content)
    assert found.keys() == HEADERS
    assert found["Subject"] == mail.subject
    assert (found["From"], found["To"], found["Message-ID"]) == (mail.sender, mail.recipient, f"<{mail.message_id}>")
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Date"].datetime == mail.date
    assert (text, html) == (mail.text, mail.html)


@given(NAMES)
@example("\r\n".join(AWKWARD))
def test_a_welcome_mail_reads_as_it_was_meant_whatever_the_name_holds(name: str) -> None:
    """By both parsers of the library, and in both parts; a name is on one line, and else as it was typed."""
    content = checked_bytes(welcome_mail(name))
    typed = re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", name).strip()
    found, text, html = parts_of(content)
    legacy = message_from_bytes(content)
    subject = "Your access to the entry course"
    assert found.keys() == legacy.keys() == HEADERS
    assert found["Subject"] == str(make_header(decode_header(legacy["Subject"]))) == subject
    assert found["To"] == legacy["To"] == "anna@xn--bcher-kva.example"
    assert [address.addr_spec for address in found["To"].addresses] == ["anna@xn--bcher-kva.example"]
    assert found["From"] == "Academy <Welcome@xn--80aamepir7m.example>"
    assert parseaddr(str(make_header(decode_header(legacy["From"])))) == ("Academy", "Welcome@xn--80aamepir7m.example")
    assert found["Message-ID"] == "<welcome-7@xn--80aamepir7m.example>"
    assert f"Hello {typed},\n" in text
    seen, links = words_of(html)
    assert f"Hello {typed}," in seen
    [link] = [word for word in text.split() if word.startswith("https://welcome.example.com/invitations/")]
    assert set(links) == {link}
    assert link in seen


@given(NAMES)
@example("A" * 300)
@example("Ы" * 300)
def test_it_passes_any_server(name: str) -> None:
    """Seven bits, CRLF and no long line, so that no server has to offer anything."""
    content = checked_bytes(welcome_mail(name))
    assert content.isascii()
    lines = content.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(map(len, lines)) <= 77


MEANT = a_mail("Анна K.")
WRITTEN = bytes(MEANT)


@given(st.integers(0, len(WRITTEN)), st.binary(min_size=1, max_size=12) | st.sampled_from([
    b"Bcc: evil@example.net\r\n", b"\r\nBcc: evil@example.net", b"\r\n", b"\r", b"\n", b"\r\n\r\n", b" ", b"\t",
    b"=\r\n", b", evil@example.net", b"\r\n--=_alternative\r\n", b"\r\n.\r\n", b"\xd0\xab", b"\x00", b"x" * 999,
]))  # fmt: skip
def test_the_check_finds_whatever_else_stands_in_a_mail(place: int, more: bytes) -> None:
    """Unless no reader sees it: a soft line break, in the texts."""
    changed = WRITTEN[:place] + more + WRITTEN[place:]
    try:
        mail_check._check(changed, MEANT)
    except Exception:
        return
    found, text, html = parts_of(changed)
    assert (found.keys(), found["Subject"], found["To"]) == (HEADERS, MEANT.subject, MEANT.recipient)
    assert (text, html) == (MEANT.text, MEANT.html)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("recipient", value) for value in (
            "a@example.com, evil@example.net", "a@example.com\r\nBcc: evil@example.net", "a@example.com> b",
            "a b@example.com", "анна@example.com", "a@localhost", "x" * 65 + "@example.com", "Anna <a@example.com>", "",
        )),
        *(("sender", value) for value in ("a@example.com\n", "Academy <a@example.com>", "a@академия.example")),
        *(("message_id", value) for value in ("a@example.com>\r\nBcc: <b@example.net", "a b@example.com", "ы@e.com")),
        *(("subject", value) for value in ("a\r\nBcc: evil@example.net", "a\x85b", "a\u2028b", "a\x00b", "\ud800", "")),
        *(("text", value) for value in ("\ud800", "a\udcff")),
    ],
)  # fmt: skip
def test_what_no_mail_may_hold_is_refused(field: str, value: str) -> None:
    mail = replace(MEANT, **{field: value})  # type: ignore[arg-type]
    with pytest.raises(FailedForGood, match="its bytes are not what they should be") as refused:
        checked_bytes(mail)
    assert "evil" not in str(refused.value)


def test_a_mail_that_is_not_what_it_should_be_does_not_leave(
    resources_for: Callable[..., Resources], server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the writer to write what it is given: that mail ends at once, is said, and harms no other."""
    written = writer._quoted_printable
    monkeypatch.setattr(writer, "_quoted_printable", lambda text: written(text).replace("@@", "\r\nBcc: "))
    resources = resources_for(smtp_url=server.url)
    emails = waiting_mails(resources, 2)
    evil = provisioned(resources, "evil@example.com", "Anna@@evil@example.net")
    emails += [provisioned(resources, "boris@example.com").email]
    send_all(resources)
    assert server.recipients == [[email] for email in emails]
    [failed] = [row for row in messages(resources.database, "mail") if row.status != "sent"]
    assert (failed.status, failed.user_id) == ("failed", evil.user_id)
    resources.writer.start()
    resources.writer.stop(5)
    [warning] = events(resources.database, "WARNING")
    assert warning.metadata["reason"].endswith(
        "its bytes are not what they should be: a part reads otherwise than it was meant."
    )
    assert "example.net" not in repr(warning)
    [state] = rows(resources.database, "SELECT welcome_email_of(%s) AS state", evil.request_id)
    assert state.state == "failed"


def test_nor_does_it_become_a_file(
    resources_for: Callable[..., Resources], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(writer, "_header_text", lambda text: f"{text}\r\nBcc: evil@example.net")
    resources = resources_for()
    provisioned(resources)
    resources.mails.run_once()
    assert list(tmp_path.rglob("*.eml")) == []
    assert [row.status for row in messages(resources.database, "mail")] == ["failed"]


@pytest.mark.parametrize("offers", ["much", "nothing"])
def test_nothing_but_seven_bits_is_asked_of_a_server(
    resources_for: Callable[..., Resources], server: MailServer, offers: str
) -> None:
    """Whether it offers 8BITMIME and SMTPUTF8 or not."""
    with plain_mail_server(lambda connection: connection.sendall(b"250 taken\r\n")) as plain:
        resources = resources_for(
            smtp_url=server.url if offers == "much" else plain.url, mail_from="info@Академия.example"
        )
        provisioned(resources, "anna@bücher.example", "Анна Ы 🙂")
        resources.mails.run_once()
        assert [row.status for row in messages(resources.database, "mail")] == ["sent"]
        assert plain.mails == (offers == "nothing")
    if offers == "much":
        assert server.recipients == [["anna@xn--bcher-kva.example"]]
        assert server.mails[0]["From"] == "Academy <info@xn--80aamepir7m.example>"
        assert server.options == [[]]
        assert server.contents[0].isascii()
