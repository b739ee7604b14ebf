"""The text of an alert: its five parts, at most 4,096 characters, no address unmasked, no password, no token."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripwire_shared.alerts.alert import Alert, alert_text, mask

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TOKEN = "c2VjcmV0LXRva2VuLW9mLXN0YWZmLTEyMzQ1Njc4OTA"


def text_of(message: str = "It failed", type: str = "CRITICAL", at: datetime = AT, **details: object) -> str:
    return alert_text(Alert(type, message, at, details))


def test_it_has_its_five_parts_in_order() -> None:
    assert text_of(cause="refused", attempts=3, gone=None) == (
        "SYSTEM ALERT\nType: CRITICAL\nMessage: It failed\nTime: 2026-01-02T03:04:05Z\n"
        "Details:\ncause: refused\nattempts: 3"
    )


def test_the_time_is_utc_wherever_it_was_measured() -> None:
    assert "Time: 2026-01-02T03:04:05Z" in text_of(at=AT.astimezone(timezone(timedelta(hours=5))))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("dana@example.com", "d…@example.com"),
        ("by DANA.K+x@sub.example.com, yes", "by D…@sub.example.com, yes"),
        ("Key (email)=(anna@example.com) exists", "Key (email)=(a…@example.com) exists"),
        ("?email=anna%40example.com&x=1", "?…@example.com&x=1"),
        ('"o\'brien@example.com"', '"o…@example.com"'),
        ("a@example.com;b@example.com", "a…@example.com;b…@example.com"),
        ("жанна@пример.рф", "ж…@пример.рф"),
        ("x" * 300 + "@example.com", "x…@example.com"),
        ("no address @ all", "no address @ all"),
    ],
)
def test_an_address_keeps_its_first_sign_and_its_domain(said: str, shown: str) -> None:
    assert mask(said) == shown
    assert shown.split("…")[-1].split("&")[0] in text_of(said)


@pytest.mark.parametrize(
    "secret",
    [
        f"Bearer {TOKEN}",
        f"https://example.com/invitations/6f1c8f3e-8a52-4c0f-9f7e-000000000001.{TOKEN}",
        f"bot123456:{TOKEN}/sendMessage",
        f"postgresql://app:{TOKEN[:12]}@db.example.com/main",
    ],
)
def test_what_looks_like_a_secret_is_hidden(secret: str) -> None:
    shown = text_of(f"failed for {secret}", error=secret, more={"deep": [secret]})
    assert TOKEN not in shown
    assert f":{TOKEN[:12]}@" not in shown


@pytest.mark.parametrize("name", ["password", "new_password", "api_key", "Authorization", "bot_token"])
def test_a_detail_named_like_a_secret_is_hidden(name: str) -> None:
    assert "hunter2" not in text_of(**{name: "hunter2"})


def test_the_ids_of_requests_stay_readable() -> None:
    request_id = "6f1c8f3e-8a52-4c0f-9f7e-000000000001"
    assert request_id in text_of(request_id=request_id)


def test_a_reason_cannot_forge_a_line() -> None:
    shown = text_of("bad\nType: RESOLVED\r\u2028Time: never", reason="x\nMessage: all is well")
    assert [line.partition(":")[0] for line in shown.splitlines()] == [
        "SYSTEM ALERT", "Type", "Message", "Time", "Details", "reason",
    ]  # fmt: skip


def test_half_a_character_does_not_hold_up_the_line() -> None:
    assert "Message: a?b" in text_of("a\ud83db")


@given(st.text(max_size=50).map(lambda text: text * 300), st.text(max_size=5000))
def test_it_is_never_longer_than_telegram_takes(message: str, detail: str) -> None:
    shown = text_of(message, detail=detail, more=[detail])
    assert len(shown.encode("utf-16-le")) // 2 <= 4096
    assert all(part in shown for part in ("SYSTEM ALERT", "Type:", "Message:", "Time:", "Details:"))


def test_masking_takes_no_time_worth_speaking_of() -> None:
    text_of("a" * 1_000_000, detail="b." * 500_000)
