"""Telegram's Bot API: one call, `sendMessage`. The token stands in the address, so no exception leaves as it came."""

from dataclasses import dataclass
from typing import Any

import requests

from tripwire_shared.health.alert import Alert, alert_text
from tripwire_shared.logs import get_logger
from tripwire_shared.outbox.deliverer import DeliveryFailed
from tripwire_shared.outbox.outbox import Message
from tripwire_shared.settings import Settings
from tripwire_shared.timings import ALERT_BACKOFF, TELEGRAM_TIMEOUT


@dataclass(frozen=True)
class Verdict:
    """What Telegram answered. `status` is None where it could not be reached; `retry_after` in seconds."""

    ok: bool
    status: int | None
    description: str
    message_id: int | None = None
    retry_after: float | None = None


class Telegram:
    def __init__(self, settings: Settings) -> None:
        self.configured = settings.telegram_configured
        self._url = f"{settings.telegram_api_url.rstrip('/')}/bot{settings.telegram_bot_token}/sendMessage"
        self._chat_id = settings.telegram_admin_chat_id

    def send(self, text: str) -> Verdict:
        """Sends plain text (no parse_mode: nothing in it can be refused as bad markup). Never raises."""
        body = {"chat_id": self._chat_id, "text": text, "disable_web_page_preview": True}
        try:
            answer = requests.post(self._url, json=body, timeout=TELEGRAM_TIMEOUT, allow_redirects=False)
            told = answer.json()
        except requests.RequestException as error:
            return Verdict(False, None, f"Telegram cannot be reached ({type(error).__name__}).")
        return _verdict(answer.status_code, told)

    def deliver(self, message: Message) -> None:
        """The outbox's way to Telegram. Not configured: the alert is logged, and that is its delivery."""
        alert = stored_alert(message.body, message)
        if not self.configured:
            get_logger(__name__).warning("alert (Telegram is not configured)", type=alert.type, message=alert.message)
            return
        verdict = self.send(alert_text(alert))
        if not verdict.ok:
            raise DeliveryFailed(verdict.description, verdict.retry_after)


def stored_alert(body: dict[str, Any], message: Message) -> Alert:
    return Alert(body["type"], body["message"], message.created_at, body["details"])


def alert_pause(message: Message) -> float:
    """1, 2, 4 … 60 s: an alert is never given up."""
    return ALERT_BACKOFF[min(message.attempts, len(ALERT_BACKOFF)) - 1]


def _verdict(status: int, told: Any) -> Verdict:
    if not isinstance(told, dict):
        return Verdict(False, status, f"Telegram answered {status}.")
    if status == 200 and told.get("ok") is True:
        result = told.get("result")
        return Verdict(True, status, "OK", result.get("message_id") if isinstance(result, dict) else None)
    parameters = told.get("parameters")
    retry_after = parameters.get("retry_after") if isinstance(parameters, dict) else None
    seconds = float(retry_after) if isinstance(retry_after, int | float) else None
    return Verdict(False, status, str(told.get("description") or f"Telegram answered {status}."), retry_after=seconds)
