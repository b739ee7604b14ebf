"""The wording of alerts: plain text, cut to Telegram's size, addresses masked. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

# Telegram refuses longer messages.
TEXT_AT_MOST = 4096
_CUT = " …"
_EMAIL = re.compile(r"([^\s@\"'<>(),;:=]{1,64})@([^\s@\"'<>(),;:]{1,255})")


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
    head = f"SYSTEM ALERT\nType: {alert.type}\nMessage: {_cut(mask(alert.message), 1000)}\nTime: {at}\nDetails:"
    details = "\n".join(f"{name}: {_plain(value)}" for name, value in alert.details.items() if value is not None)
    return _cut(f"{head}\n{mask(details)}" if details else f"{head} none", TEXT_AT_MOST)


def mask(text: str) -> str:
    """`dana@example.com` → `d…@example.com`, wherever an address stands in `text`."""
    return _EMAIL.sub(lambda found: f"{found[1][0]}…@{found[2]}", text)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _cut(text: str, at_most: int) -> str:
    # Telegram counts UTF-16 units: a character outside the basic plane counts twice.
    if len(text.encode("utf-16-le")) // 2 <= at_most:
        return text
    kept = text.encode("utf-16-le")[: 2 * (at_most - len(_CUT))]
    return kept.decode("utf-16-le", errors="ignore") + _CUT
