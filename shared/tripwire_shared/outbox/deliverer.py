"""Delivers what waits in the outbox: a thread for each channel, so that a hung Telegram never delays a mail.

Every API process and every sweep process has both; the lease sees to it that a message is never with two at once. An
API process sends at once what it put in itself, and leaves others' mails to the sweep process unless they are late: it
has requests to answer.

A deliverer sleeps until it is told that something was put in, or until the next message is due. It also looks each
DELIVERY_POLL unasked: a notification may get lost, or the process that was to send the message itself may have died.

Mails are leased, sent and marked in batches, since one by one the statements around a mail cost more than the mail.
"""

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tripwire_shared.alarm_clock import AlarmClock, Ring
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.outbox.late_answers import LateAnswers, Owing
from tripwire_shared.outbox.outbox import Channel, Lease, Message, Outbox
from tripwire_shared.outbox.outcomes import DeliveryFailed, FailedForGood, LateAnswer, NothingToDeliver, OutcomeUnknown
from tripwire_shared.outbox.unmarked import Unmarked
from tripwire_shared.postgres.wakeups import Told
from tripwire_shared.timings import (
    DELIVERY_LEAST_PAUSE,
    DELIVERY_POLL,
    DELIVERY_POLL_IN_TROUBLE,
    LEASE_LOOK_INTERVAL,
    MAIL_ANSWER_PATIENCE,
    MAIL_ANSWER_PATIENCE_AT_STOP,
)
from tripwire_shared.tracing import Span, Tracer, now

# As many as the threads of an API process may have put in between two looks.
OWN_AT_ONCE = 10
# Without an answer a message is tried twice more (contract, section 8): each time may make a copy.
UNANSWERED_AT_MOST = 2


@dataclass(frozen=True)
class Route:
    """How a channel delivers.

    `batch` gives, for messages one after another, what delivers one and raises DeliveryFailed or NothingToDeliver; what
    it gives is an answer that takes its time.
    `at_most` messages are leased at once. A delivery is begun only within `begin_within` seconds of the lease: what it
    takes at most, added to this, must be less than the lease, so that nobody else gets the message meanwhile.
    A message whose process died with it may be out, and its heir cannot know: at its `leases_at_most` that ends too.
    `pause` gives the seconds until the next try, None to give up; `on_failed` and `on_given_up` say it aloud.
    """

    channel: Channel
    batch: Callable[[], AbstractContextManager[Callable[[Message], LateAnswer | None]]]
    pause: Callable[[Message], float | None]
    on_failed: Callable[[Message, str], None]
    on_given_up: Callable[[Message, str], None]
    at_most: int
    begin_within: float
    leases_at_most: float = math.inf


class Deliverer:
    """`alarm` is rung by who put something in here, after the commit: then this looks at once. `patience`: for so many
    seconds what others put in is left to them."""

    def __init__(self, outbox: Outbox, route: Route, alarm: AlarmClock, tracer: Tracer, patience: float = 0.0) -> None:
        self._tracer = tracer
        self._outbox, self._route, self._alarm, self._patience = outbox, route, alarm, patience
        self._stopped = threading.Event()
        self._late = LateAnswers(on_end=lambda: alarm.ring_in(0.0))
        self._thread = threading.Thread(target=self._run, name=f"deliver-{route.channel}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def told(self, _: Told) -> None:
        """Somebody put something in, or may have."""
        self._alarm.ring_in(self._patience)

    def stop(self, timeout: float) -> None:
        """Asks the thread to end after the message it is at, and waits up to `timeout` seconds. Answers that are late
        then are unknown outcomes."""
        self._stopped.set()
        self._late.stop()
        self._alarm.ring()
        if self._thread.is_alive():
            self._thread.join(timeout)
        elif self._thread.ident is None:
            self._end_late_answers()  # as the thread does that was never started

    def run_once(self, patience: float = 0.0) -> int:
        """Leases what has been due for `patience` seconds, one batch, and delivers it; returns how many were leased."""
        self._settle()
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
                while rest and time.monotonic() < begin_until and self._may_begin() and unmarked.watch():
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

    def _may_begin(self) -> bool:
        return not self._stopped.is_set() and not self._late.full

    def _deliver(self, message: Message, deliver: Callable[[Message], LateAnswer | None], unmarked: Unmarked) -> None:
        if message.attempts > self._route.leases_at_most:
            self._give_up(message, "Outcome unknown: it was begun too often, and whoever began it died.")
            return
        began = now()
        try:
            late = deliver(message)
        except DeliveryFailed as error:
            self._trace(message, began, failure=type(error).__name__)
            self._fail_now(message, error, unmarked)
        except NothingToDeliver as error:
            self._outbox.give_up(message, str(error))
        except Exception as error:
            get_logger(__name__).exception("a delivery failed unexpectedly", message_id=message.id)
            self._fail_now(message, DeliveryFailed(f"Unexpected error ({type(error).__name__})."), unmarked)
        else:
            self._trace(message, began)
            if late is None:
                unmarked.add(message)
            else:
                self._await(message, late, unmarked)

    def _trace(self, message: Message, began: int, failure: str | None = None) -> None:
        if message.request_id is not None and message.channel is Channel.MAIL:
            self._tracer.record(Span.MAIL, message.request_id, began, {"attempt": message.attempts}, failure=failure)

    def _await(self, message: Message, late: LateAnswer, unmarked: Unmarked) -> None:
        """The other messages wait for it a while, as for any; then they go on without it."""
        owing = self._late.add(message, late)
        unmarked.mark()  # not meanwhile: a deliverer has one connection at a time
        self._settle()
        self._late.wait_for(owing, MAIL_ANSWER_PATIENCE)
        self._settle()

    def _settle(self) -> None:
        """Writes what became of the answers that are owing. Raises DatabaseUnavailable; the next time it goes on.

        That one is owing is noted once, with a lease for as long as it may take. While PostgreSQL is away nobody can
        lease the message either; when it is back and its lease was over by then, another may be first. That, and a
        death of this process before the note, may make a copy more than are counted.
        """
        for owing in self._late.owing:
            if owing.over:
                self._end(owing)
                self._late.remove(owing)
            elif not owing.noted:
                self._outbox.note_out(owing.message)
                owing.noted = True
            elif not owing.failing and time.monotonic() - owing.since >= MAIL_ANSWER_PATIENCE:
                self._outbox.note_out(owing.message, failing="The mail server has all of the mail and does not answer.")
                owing.failing = True

    def _end(self, owing: Owing) -> None:
        if owing.failure is None:
            self._outbox.mark_sent([owing.message])
        else:
            self._fail(owing.message, owing.failure)

    def _end_late_answers(self) -> None:
        self._late.end(MAIL_ANSWER_PATIENCE_AT_STOP)
        try:
            self._settle()
        except DatabaseUnavailable:  # they are noted as out, and their leases bring them back
            get_logger(__name__).warning("late answers could not be written", messages=len(self._late.owing))

    def _fail_now(self, message: Message, error: DeliveryFailed, unmarked: Unmarked) -> None:
        # First what went out before it: the watch takes what failed before another was sent for one address' trouble.
        unmarked.mark()
        self._fail(message, error)

    def _fail(self, message: Message, error: DeliveryFailed) -> None:
        unknown = isinstance(error, OutcomeUnknown)
        pause = self._route.pause(message)
        if isinstance(error, FailedForGood) or pause is None or (unknown and message.unanswered >= UNANSWERED_AT_MOST):
            self._give_up(message, str(error))
            return
        self._outbox.put_off(message, max(pause, error.retry_after or 0.0), str(error), unanswered=unknown)
        self._route.on_failed(message, str(error))

    def _give_up(self, message: Message, reason: str) -> None:
        if self._outbox.give_up(message, reason):
            self._route.on_given_up(message, reason)

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
        self._end_late_answers()

    def _deliver_what_waits(self, own: bool) -> float:
        """`own`: this process put something in. Gives the seconds until something will be due."""
        self._settle()
        if own and self._patience and self._may_begin():
            self._run_own()
        while self._may_begin():
            lease = self._run_batch(self._patience)
            if not lease.messages:
                if lease.due_in is None:
                    break
                # Never zero: the head may be held back by its second of spacing, by another's lease, or be left to
                # others.
                least = max(self._patience / 2, DELIVERY_LEAST_PAUSE)
                return min(DELIVERY_POLL, max(lease.due_in + self._patience, least))
        return DELIVERY_POLL
