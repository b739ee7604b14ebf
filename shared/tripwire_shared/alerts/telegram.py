"""Telegram's Bot API: one call, `sendMessage`. The token stands in the address, so no exception leaves as it came."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from tripwire_shared.alerts.alert import Alert, alert_text
from tripwire_shared.alerts.telegram_chat import TelegramChat
from tripwire_shared.logs import get_logger
from tripwire_shared.network.bounded_call import BoundedCalls, TookTooLong
from tripwire_shared.network.outside_session import outside_session
from tripwire_shared.outbox.outbox import Message
from tripwire_shared.outbox.outcomes import DeliveryFailed
from tripwire_shared.settings import Settings
from tripwire_shared.timings import ALERT_BACKOFF, TELEGRAM_CONNECT_TIMEOUT, TELEGRAM_TIMEOUT, TELEGRAM_TOTAL

DESCRIPTION_AT_MOST = 300
RETRY_AFTER_AT_MOST = 86_400.0


@dataclass(frozen=True)
class TelegramAnswer:
    """What Telegram answered. `status` is None where it could not be reached; `retry_after` in seconds; `moved_to`: the
    chat's new id."""

    ok: bool
    status: int | None
    description: str
    message_id: int | None = None
    retry_after: float | None = None
    moved_to: str | None = None


class Telegram:
    """Safe for threads. While Telegram asked for patience nobody in this process calls it, whatever there is to say."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.configured = settings.telegram_configured
        self._url = f"{settings.telegram_api_url.rstrip('/')}/bot{settings.telegram_bot_token}/sendMessage"
        self._calls = BoundedCalls(TELEGRAM_TOTAL)
        self._token, self.chat = settings.telegram_bot_token, TelegramChat(settings.telegram_admin_chat_id)
        self._clock, self._not_before = clock, 0.0
        # urllib3 logs addresses, at level debug each one, and ours holds the token.
        logging.getLogger("urllib3").setLevel(logging.ERROR)

    def send(self, text: str) -> TelegramAnswer:
        """Sends plain text (no parse_mode: nothing in it can be refused as bad markup). Never raises."""
        if not self.configured:
            return TelegramAnswer(False, None, "Telegram is not configured.")
        patience = self._not_before - self._clock()
        if patience > 0:
            return TelegramAnswer(
                False, 429, f"Telegram asked to wait for {patience:.0f} s more.", retry_after=patience
            )
        try:
            answer = self._calls.run(lambda: self._follow(text))
        except (requests.RequestException, TookTooLong) as error:
            return TelegramAnswer(False, None, f"Telegram cannot be reached ({type(error).__name__}).")
        if answer.retry_after is not None:
            self._not_before = self._clock() + answer.retry_after
        return answer

    def deliver(self, message: Message) -> None:
        """The outbox's way to Telegram. Not configured: the alert is logged, and that is its delivery."""
        alert = stored_alert(message.body, message)
        if not self.configured:
            get_logger(__name__).warning("alert (Telegram is not configured)", type=alert.type, message=alert.message)
            return
        answer = self.send(alert_text(alert))
        if not answer.ok:
            raise DeliveryFailed(answer.description, answer.retry_after)

    def _follow(self, text: str) -> TelegramAnswer:
        """Sends it, once more where the group has become a supergroup."""
        answer = self._post(text, self.chat.id)
        if answer.moved_to is None:
            return answer
        self.chat.moved(answer.moved_to)
        return self._post(text, answer.moved_to)

    def _post(self, text: str, chat_id: str) -> TelegramAnswer:
        body = {"chat_id": chat_id, "text": text, "disable_web_page_preview": True}
        timeout = (TELEGRAM_CONNECT_TIMEOUT, TELEGRAM_TIMEOUT)
        with outside_session(self._url) as session:
            return self._understood(session.post(self._url, json=body, timeout=timeout, allow_redirects=False))

    def _understood(self, answer: requests.Response) -> TelegramAnswer:
        told = _document(answer)
        if answer.status_code == 200 and told.get("ok") is True:
            result = told.get("result")
            return TelegramAnswer(True, 200, "OK", result.get("message_id") if isinstance(result, dict) else None)
        description = str(told.get("description") or f"Telegram answered {answer.status_code}.")
        # Servers like to repeat the path that they did not know.
        description = description.replace(self._token, "[hidden]")[:DESCRIPTION_AT_MOST]
        return TelegramAnswer(
            False, answer.status_code, description, retry_after=_retry_after(told), moved_to=_moved_to(told)
        )


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


def _parameter(told: dict[str, Any], name: str) -> Any:
    parameters = told.get("parameters")
    return parameters.get(name) if isinstance(parameters, dict) else None


def _retry_after(told: dict[str, Any]) -> float | None:
    seconds = _parameter(told, "retry_after")
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return None
    return min(float(seconds), RETRY_AFTER_AT_MOST)


def _moved_to(told: dict[str, Any]) -> str | None:
    new = _parameter(told, "migrate_to_chat_id")
    return str(new) if isinstance(new, int) and not isinstance(new, bool) else None
