"""What Telegram answered to a test alert, and what to do about it. Pure."""

from dataclasses import dataclass

from tripwire_admin_ui.api.failures import ApiFailure, ApiUnreachable, Conflict
from tripwire_admin_ui.presenters.formatting import duration
from tripwire_shared.answers.system import TestAlert

WHAT_TO_DO = {
    400: "The chat was not found: look at TELEGRAM_ADMIN_CHAT_ID, and write to the bot once from there. Then restart.",
    401: "Telegram does not know this bot: look at TELEGRAM_BOT_TOKEN. Then restart.",
    403: "The bot may not write to this chat: unblock it, or add it to the group again.",
    404: "Telegram does not know this bot: look at TELEGRAM_BOT_TOKEN. Then restart.",
    429: "Telegram asks for a pause. Alerts wait and are sent in order.",
}
NO_ANSWER = "Alerts wait and are sent in order. Can the server reach Telegram?"


@dataclass(frozen=True)
class AlertAnswer:
    ok: bool
    title: str
    text: str


def alert_answer(answer: TestAlert, seconds: float) -> AlertAnswer:
    """`seconds` is how long it took."""
    if answer.ok:
        which = f"Message {answer.message_id}" if answer.message_id is not None else "The message"
        return AlertAnswer(True, "Telegram answered: OK.", f"{which} reached the chat in {duration(seconds)}.")
    if answer.status is None:
        return AlertAnswer(False, f"Telegram did not answer: {answer.description or 'no connection'}.", NO_ANSWER)
    title = f"Telegram answered: {answer.status} {answer.description}".rstrip(". ") + "."
    return AlertAnswer(False, title, WHAT_TO_DO.get(answer.status, "Alerts wait and are sent in order."))


def not_sent(failure: ApiFailure) -> AlertAnswer:
    """The API itself could not send it, or did not say."""
    if isinstance(failure, Conflict):
        return AlertAnswer(False, "Not sent: Telegram is not configured.", "")
    if isinstance(failure, ApiUnreachable) and failure.may_have_arrived:
        text = "The API did not answer in time: look whether the message reached the chat."
        return AlertAnswer(False, "Not known whether it was sent.", text)
    return AlertAnswer(False, "Not sent.", str(failure))
