"""A mail's bytes, written by hand, read back by the library: whatever a text holds, it stays where it was put."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from hypothesis import example, given
from hypothesis import strategies as st

from tripwire_shared.mail.mail import Mail

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=300)


def read(mail: Mail) -> EmailMessage:
    return message_from_bytes(bytes(mail), policy=policy.default)


def a_mail(name: str) -> Mail:
    return Mail(
        message_id="welcome-1@example.com",
        sender="welcome@example.com",
        recipient="anna+x@example.com",
        subject=f"Welcome, {name}",
        text=f"Hello {name},\n\n{name}\n.\nFrom here\n",
        html=f"<p>{name}</p>",
        date=datetime(2026, 3, 1, 9, 0, tzinfo=UTC),
    )


@given(NAMES)
@example("--=_alternative")
@example("=?utf-8?q?evil?=")
@example("A" * 300)
@example("Ы" * 300)
@example("🙂" * 50)
def test_a_text_stays_where_it_was_put(name: str) -> None:
    mail = a_mail(name)
    found = read(mail)
    assert not found.defects
    assert found.keys() == [
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert found["Subject"] == mail.subject
    assert (found["From"], found["To"], found["Message-ID"]) == (mail.sender, mail.recipient, f"<{mail.message_id}>")
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Date"].datetime == mail.date
    text, html = found.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert text.get_content_type() == "text/plain"
    assert text.get_content().splitlines() == mail.text.splitlines()
    assert html.get_content_type() == "text/html"
    assert html.get_content().rstrip() == mail.html.rstrip()


@given(NAMES)
@example("A" * 300)
@example("Ы" * 300)
def test_it_passes_any_server(name: str) -> None:
    """Seven bits, CRLF and no long line, so that no server has to offer anything."""
    content = bytes(a_mail(name))
    assert content.isascii()
    lines = content.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(map(len, lines)) <= 76
