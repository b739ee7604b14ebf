"""Telegram's Bot API: one call, `sendMessage`. The token stands in the address, so no exception leaves as it came."""

import logging
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from tripwire_shared.bounded_call import BoundedCalls, TookTooLong
from tripwire_shared.health.alert import Alert, alert_text
from tripwire_shared.logs import get_logger
from tripwire_shared.outbox.deliverer import DeliveryFailed
from tripwire_shared.outbox.outbox import Message
from tripwire_shared.outside_session import outside_session
from tripwire_shared.settings import Settings
from tripwire_shared.timings import ALERT_BACKOFF, TELEGRAM_CONNECT_TIMEOUT, TELEGRAM_TIMEOUT, TELEGRAM_TOTAL

DESCRIPTION_AT_MOST = 300
RETRY_AFTER_AT_MOST = 86_400.0


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
        self._calls = BoundedCalls(TELEGRAM_TOTAL)
        self._token, self._chat_id = settings.telegram_bot_token, settings.telegram_admin_chat_id
        # urllib3 logs addresses, at level debug each one, and ours holds the token.
        logging.getLogger("urllib3").setLevel(logging.ERROR)

    def send(self, text: str) -> Verdict:
        """Sends plain text (no parse_mode: nothing in it can be refused as bad markup). Never raises."""
        body = {"chat_id": self._chat_id, "text": text, "disable_web_page_preview": True}
        try:
            answer = self._calls.run(lambda: self._post(body))
        except (requests.RequestException, TookTooLong) as error:
            return Verdict(False, None, f"Telegram cannot be reached ({type(error).__name__}).")
        return self._verdict(answer)

    def deliver(self, message: Message) -> None:
        """The outbox's way to Telegram. Not configured: the alert is logged, and that is its delivery."""
        alert = stored_alert(message.body, message)
        if not self.configured:
            get_logger(__name__).warning("alert (Telegram is not configured)", type=alert.type, message=alert.message)
            return
        verdict = self.send(alert_text(alert))
        if not verdict.ok:
            raise DeliveryFailed(verdict.description, verdict.retry_after)

    def _post(self, body: dict[str, Any]) -> requests.Response:
        timeout = (TELEGRAM_CONNECT_TIMEOUT, TELEGRAM_TIMEOUT)
        with outside_session(self._url) as session:
            return session.post(self._url, json=body, timeout=timeout, allow_redirects=False)

    def _verdict(self, answer: requests.Response) -> Verdict:
        told = _document(answer)
        if answer.status_code == 200 and told.get("ok") is True:
            result = told.get("result")
            return Verdict(True, 200, "OK", result.get("message_id") if isinstance(result, dict) else None)
        description = str(told.get("description") or f"Telegram answered {answer.status_code}.")
        # Servers like to repeat the path that they did not know.
        description = description.replace(self._token, "[hidden]")[:DESCRIPTION_AT_MOST]
        return Verdict(False, answer.status_code, description, retry_after=_retry_after(told))


def stored_alert(body: dict[str, Any], message: Message) -> Alert:
    at = datetime.fromisoformat(body["at"]) if "at" in body else message.created_at
    return Alert(body["type"], body["message"], at, body["details"])


def alert_pause(message: Message) -> float:
    """1, 2, 4 … 60 s: an alert is never given up."""
    return ALERT_BACKOFF[min(message.attempts, len(ALERT_BACKOFF)) - 1]


def _document(answer: requests.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:  # a page of some proxy
        return {}
    return told if isinstance(told, dict) else {}


def _retry_after(told: dict[str, Any]) -> float | None:
    parameters = told.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return None
    return min(float(seconds), RETRY_AFTER_AT_MOST)
