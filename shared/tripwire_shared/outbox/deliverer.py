"""Delivers what waits in the outbox: a thread for each channel, so that a hung Telegram never delays a mail.

Every API process and every sweep process has both; the lease sees to it that a message is never with two at once. An
API process sends at once what it was woken for, and leaves others' mails to the sweep process unless they are late:
rendering and sending takes twice the processor time of an accept, and would stand in the way of requests.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tripwire_shared.errors import DatabaseUnavailable, TripwireError
from tripwire_shared.logs import get_logger
from tripwire_shared.outbox.outbox import Channel, Message, Outbox
from tripwire_shared.timings import DATABASE_RETRY_PAUSE, DELIVERY_POLL


class DeliveryFailed(TripwireError):
    """The message could not be delivered. `retry_after`: seconds that the receiver asked for."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class NothingToDeliver(TripwireError):
    """The message has lost its sense meanwhile and is closed without being sent."""


@dataclass(frozen=True)
class Route:
    """How a channel delivers.

    `deliver` raises DeliveryFailed or NothingToDeliver; `pause` gives the seconds until the next try, None to give up;
    `on_failed` and `on_given_up` say it aloud.
    """

    channel: Channel
    deliver: Callable[[Message], None]
    pause: Callable[[Message], float | None]
    on_failed: Callable[[Message, str], None]
    on_given_up: Callable[[Message, str], None]


class Deliverer:
    """`woken` is set by who put something in here, after the commit: then this looks at once. `patience`: for so many
    seconds what others put in is left to them."""

    def __init__(self, outbox: Outbox, route: Route, woken: threading.Event, patience: float = 0.0) -> None:
        self._outbox, self._route, self._woken, self._patience = outbox, route, woken, patience
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"deliver-{route.channel}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Asks the thread to end after the message it is at, and waits up to `timeout` seconds."""
        self._stopped.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def run_once(self, patience: float = 0.0) -> int:
        """Delivers one message if one has been due for `patience` seconds; returns how many were leased (0 or 1)."""
        message = self._outbox.lease(self._route.channel, patience)
        if message is None:
            return 0
        try:
            self._route.deliver(message)
        except DeliveryFailed as error:
            self._put_off(message, error)
        except NothingToDeliver as error:
            self._outbox.give_up(message, str(error))
        except DatabaseUnavailable:
            raise  # the lease brings the message back
        except Exception as error:
            get_logger(__name__).exception("a delivery failed unexpectedly", message_id=message.id)
            self._put_off(message, DeliveryFailed(f"Unexpected error ({type(error).__name__})."))
        else:
            self._mark_sent(message)
        return 1

    def _mark_sent(self, message: Message) -> None:
        """It is out: keeps trying to say so while the database is away, since else it would go out a second time."""
        while True:
            try:
                return self._outbox.mark_sent(message)
            except DatabaseUnavailable:
                if self._stopped.wait(DATABASE_RETRY_PAUSE):
                    raise

    def _put_off(self, message: Message, error: DeliveryFailed) -> None:
        pause = self._route.pause(message)
        if pause is None:
            if self._outbox.give_up(message, str(error)):
                self._route.on_given_up(message, str(error))
            return
        self._outbox.put_off(message, max(pause, error.retry_after or 0.0), str(error))
        self._route.on_failed(message, str(error))

    def _run(self) -> None:
        log = get_logger(__name__)
        while not self._stopped.is_set():
            patience = 0.0 if self._woken.is_set() else self._patience
            self._woken.clear()
            pause = DELIVERY_POLL
            try:
                while not self._stopped.is_set() and self.run_once(patience):
                    pass
                due_in = self._outbox.next_due_in(self._route.channel)
                if due_in is not None:
                    # Never zero: the head may be held back by its second of spacing or by another's lease.
                    pause = min(DELIVERY_POLL, max(due_in + self._patience, 0.05))
            except DatabaseUnavailable:
                log.warning("deliveries wait for the database", channel=self._route.channel)
            except Exception:
                log.exception("the deliverer failed unexpectedly", channel=self._route.channel)
            self._woken.wait(pause)
