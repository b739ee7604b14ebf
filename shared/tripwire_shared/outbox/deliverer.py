"""Delivers what waits in the outbox: a thread for each channel, so that a hung Telegram never delays a mail.

Every API process and every sweep process has both; the lease sees to it that a message is never with two at once. An
API process sends at once what it put in itself, and leaves others' mails to the sweep process unless they are late: it
has requests to answer.

A deliverer sleeps until it is told that something was put in, or until the next message is due. It also looks each
DELIVERY_POLL unasked: a notification may get lost, or the process that was to send the message itself may have died.

Mails are leased, sent and marked in batches, since one by one the statements around a mail cost more than the mail.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tripwire_shared.alarm_clock import AlarmClock, Ring
from tripwire_shared.errors import DatabaseUnavailable, TripwireError
from tripwire_shared.logs import get_logger
from tripwire_shared.outbox.outbox import Channel, Lease, Message, Outbox
from tripwire_shared.outbox.unmarked import Unmarked
from tripwire_shared.timings import DELIVERY_LEAST_PAUSE, DELIVERY_POLL, DELIVERY_POLL_IN_TROUBLE, LEASE_LOOK_INTERVAL
from tripwire_shared.wakeups import Told

# As many as the threads of an API process may have put in between two looks.
OWN_AT_ONCE = 10


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

    `batch` gives, for messages one after another, what delivers one and raises DeliveryFailed or NothingToDeliver.
    `at_most` messages are leased at once. A delivery is begun only within `begin_within` seconds of the lease: what it
    takes at most, added to this, must be less than the lease, so that nobody else gets the message meanwhile.
    `pause` gives the seconds until the next try, None to give up; `on_failed` and `on_given_up` say it aloud.
    """

    channel: Channel
    batch: Callable[[], AbstractContextManager[Callable[[Message], None]]]
    pause: Callable[[Message], float | None]
    on_failed: Callable[[Message, str], None]
    on_given_up: Callable[[Message, str], None]
    at_most: int
    begin_within: float


class Deliverer:
    """`alarm` is rung by who put something in here, after the commit: then this looks at once. `patience`: for so many
    seconds what others put in is left to them."""

    def __init__(self, outbox: Outbox, route: Route, alarm: AlarmClock, patience: float = 0.0) -> None:
        self._outbox, self._route, self._alarm, self._patience = outbox, route, alarm, patience
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"deliver-{route.channel}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def told(self, _: Told) -> None:
        """Somebody put something in, or may have."""
        self._alarm.ring_in(self._patience)

    def stop(self, timeout: float) -> None:
        """Asks the thread to end after the message it is at, and waits up to `timeout` seconds."""
        self._stopped.set()
        self._alarm.ring()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def run_once(self, patience: float = 0.0) -> int:
        """Leases what has been due for `patience` seconds, one batch, and delivers it; returns how many were leased."""
        return len(self._run_batch(patience).messages)

    def _run_batch(self, patience: float) -> Lease:
        return self._deliver_batch(at_most=self._route.at_most, patience=patience)

    def _run_own(self) -> None:
        """Delivers what was put in here: it is among the newest. The rest is left to others, who are told where it may
        be of ours: they were not when we put it in."""
        at_most = min(OWN_AT_ONCE, self._route.at_most)
        if len(self._deliver_batch(at_most=at_most, newest_first=True).messages) == at_most:
            self._outbox.tell_mails()

    def _deliver_batch(self, *, at_most: int, patience: float = 0.0, newest_first: bool = False) -> Lease:
        # From before the lease is asked for: by the server's clock it begins later, and ends later.
        asked_at = time.monotonic()
        begin_until, look_again_at = asked_at + self._route.begin_within, asked_at + LEASE_LOOK_INTERVAL
        lease = self._outbox.lease(self._route.channel, at_most=at_most, patience=patience, newest_first=newest_first)
        if not lease.messages:
            return lease
        rest, unmarked = deque(lease.messages), Unmarked(self._outbox.mark_sent, self._stopped)
        with self._route.batch() as deliver:
            # Where one could not be put off, its lease brings it back; the others are tried again later.
            with contextlib.suppress(DatabaseUnavailable):
                while rest and time.monotonic() < begin_until and not self._stopped.is_set() and unmarked.watch():
                    if time.monotonic() < look_again_at:
                        self._deliver(rest.popleft(), deliver, unmarked)
                    else:
                        unmarked.mark()  # not meanwhile: a deliverer has one connection at a time
                        rest = deque(self._outbox.still_leased(rest))
                        look_again_at = time.monotonic() + LEASE_LOOK_INTERVAL
            unmarked.mark()
            if rest:
                self._outbox.give_back(rest)
        return lease

    def _deliver(self, message: Message, deliver: Callable[[Message], None], unmarked: Unmarked) -> None:
        try:
            deliver(message)
        except DeliveryFailed as error:
            self._put_off(message, error, unmarked)
        except NothingToDeliver as error:
            self._outbox.give_up(message, str(error))
        except Exception as error:
            get_logger(__name__).exception("a delivery failed unexpectedly", message_id=message.id)
            self._put_off(message, DeliveryFailed(f"Unexpected error ({type(error).__name__})."), unmarked)
        else:
            unmarked.add(message)

    def _put_off(self, message: Message, error: DeliveryFailed, unmarked: Unmarked) -> None:
        # First what went out before it: the watch takes what failed before another was sent for one address' trouble.
        unmarked.mark()
        pause = self._route.pause(message)
        if pause is None:
            if self._outbox.give_up(message, str(error)):
                self._route.on_given_up(message, str(error))
            return
        self._outbox.put_off(message, max(pause, error.retry_after or 0.0), str(error))
        self._route.on_failed(message, str(error))

    def _run(self) -> None:
        log = get_logger(__name__)
        own = False
        while not self._stopped.is_set():
            pause = DELIVERY_POLL_IN_TROUBLE
            try:
                pause = self._deliver_what_waits(own)
            except DatabaseUnavailable:
                log.warning("deliveries wait for the database", channel=self._route.channel)
            except Exception:
                log.exception("the deliverer failed unexpectedly", channel=self._route.channel)
            self._alarm.ring_in(pause)
            own = self._alarm.sleep() is Ring.NOW

    def _deliver_what_waits(self, own: bool) -> float:
        """`own`: this process put something in. Gives the seconds until something will be due."""
        if own and self._patience:
            self._run_own()
        while not self._stopped.is_set():
            lease = self._run_batch(self._patience)
            if not lease.messages:
                if lease.due_in is None:
                    break
                # Never zero: the head may be held back by its second of spacing, by another's lease, or be left to
                # others.
                least = max(self._patience / 2, DELIVERY_LEAST_PAUSE)
                return min(DELIVERY_POLL, max(lease.due_in + self._patience, least))
        return DELIVERY_POLL
