"""The wording of alerts: plain text, cut to Telegram's size, without addresses and secrets. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

# Telegram refuses longer messages.
TEXT_AT_MOST = 4096
MESSAGE_AT_MOST = 1000
# Longer details are cut before anything searches in them.
DETAILS_AT_MOST = 20_000
_CUT = " …"
_HIDDEN = "[hidden]"

# An address, also as it stands in a URL (%40). The look-behind lets a match begin only where a word begins, so that
# the search takes linear time and no half of an address stays readable.
_WORD = r"[^\s<>(){}\[\],;:\"]"
_EMAIL = re.compile(rf"(?<!{_WORD})({_WORD})(?:{_WORD})*(?:@|%40)([^\s<>(){{}}\[\],;:\"'@%]+)")
_CREDENTIALS_IN_URL = re.compile(r"://[^\s/@]+@")
_SECRET_NAME = re.compile(r"password|secret|token|authorization|api_?key", re.IGNORECASE)
# What could be a key or a token: long, with digits and letters in one piece, and no UUID (those name requests).
_LONG_PIECE = re.compile(r"[A-Za-z0-9_-]{32,}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Alert:
    """`type` is an event's type, or RESOLVED. `details` as in the event's metadata."""

    type: str
    message: str
    at: datetime
    details: Mapping[str, object]


def alert_text(alert: Alert) -> str:
    """The message as Telegram gets it, without any markup (so nothing has to be escaped), at most 4,096 characters."""
    at = alert.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    message = _cut(mask(_one_line(alert.message)), MESSAGE_AT_MOST)
    lines = [f"{_one_line(name)}: {_detail(name, value)}" for name, value in alert.details.items() if value is not None]
    details = "\n" + "\n".join(lines) if lines else " none"
    return _cut(f"SYSTEM ALERT\nType: {alert.type}\nMessage: {message}\nTime: {at}\nDetails:{details}", TEXT_AT_MOST)


def mask(text: str) -> str:
    """`dana@example.com` → `d…@example.com`, and what looks like a password or a token → `[hidden]`."""
    without_credentials = _CREDENTIALS_IN_URL.sub(f"://{_HIDDEN}@", text)
    without_addresses = _EMAIL.sub(lambda found: f"{found[1]}…@{found[2]}", without_credentials)
    return _LONG_PIECE.sub(lambda found: _HIDDEN if _may_be_secret(found[0]) else found[0], without_addresses)


def _may_be_secret(piece: str) -> bool:
    if _UUID.fullmatch(piece):
        return False
    return any(sign.isdigit() for sign in piece) and any(sign.isalpha() for sign in piece)


def _detail(name: str, value: object) -> str:
    if _SECRET_NAME.search(name):
        return _HIDDEN
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return mask(_one_line(text[:DETAILS_AT_MOST]))


def _one_line(text: str) -> str:
    """Nothing inside a message may look like a line of ours; halves of a character cannot be sent at all."""
    return " ".join(text.encode("utf-8", errors="replace").decode().split())


def _cut(text: str, at_most: int) -> str:
    # Telegram counts UTF-16 units: a character outside the basic plane counts twice.
    if len(text.encode("utf-16-le")) // 2 <= at_most:
        return text
    kept = text.encode("utf-16-le")[: 2 * (at_most - len(_CUT))]
    return kept.decode("utf-16-le", errors="ignore") + _CUT
