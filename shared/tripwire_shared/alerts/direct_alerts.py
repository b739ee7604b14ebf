"""Alerts past PostgreSQL, for when it is away: by the sweep process, so once a host; once in all where Redis is up.

Redis keeps that an outage was told until its end is told too: so a process that takes over from one that died knows
what Telegram's last word is.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from tripwire_shared.alerts.alert import Alert, alert_text
from tripwire_shared.alerts.telegram import TelegramAnswer
from tripwire_shared.events.causes import Cause
from tripwire_shared.events.event import Event
from tripwire_shared.timings import ALERT_BACKOFF, ALERT_SPACING, DIRECT_ALERT_KEPT, DIRECT_ALERT_TURN


class Told(Enum):
    """What Redis knows of an outage's alert."""

    NO = "nobody tells it"
    UNKNOWN = "Redis does not say"
    BEING_TOLD = "a host has the turn to tell it"
    YES = "it is out"
    STANDS = "PostgreSQL holds it, or what was told after it and has not been delivered"


_NOTES = {b"done": Told.YES, b"stands": Told.STANDS}


class DirectAlerts:
    """`send` gives a text to Telegram; None where this process does not alert past PostgreSQL: it asks what others
    did."""

    def __init__(
        self, redis: Redis, send: Callable[[str], TelegramAnswer] | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis, self._send, self._clock = redis, send, clock
        # Three threads send: the background writer's two and the watch.
        self._sending = threading.Lock()
        self._next_at = 0.0
        self._failures = 0
        self._try_again_at = 0.0

    @property
    def speaks(self) -> bool:
        return self._send is not None

    def send(self, event: Event, at: datetime) -> bool:
        """The alert of an event that happened then: whether it arrived. At most one a second."""
        return self._tell(Alert(event.type, event.message, at, event.metadata)).ok

    def send_once(self, cause: Cause, alert: Alert) -> Told:
        """What is known of it now, through this host or another. Call it again unless that is YES or STANDS."""
        if self._clock() < self._try_again_at:
            return Told.NO
        if not self._take_turn(cause):
            return self.told(cause)
        answer = self._tell(alert)
        if answer.ok:
            self._failures, self._try_again_at = 0, 0.0
            self._note(cause)
            return Told.YES
        asked_for = answer.retry_after or 0.0
        pause = max(ALERT_BACKOFF[min(self._failures, len(ALERT_BACKOFF) - 1)], asked_for)
        self._try_again_at = self._clock() + pause
        self._failures += 1
        self._give_turn_back(cause, asked_for)
        return Told.NO

    def told(self, cause: Cause) -> Told:
        try:
            noted: Any = self._redis.get(_key(cause))
        except RedisError:
            return Told.UNKNOWN
        return Told.NO if noted is None else _NOTES.get(noted, Told.BEING_TOLD)

    def told_ago(self, cause: Cause) -> float | None:
        """The seconds since it was told past PostgreSQL, by Redis' clock; None where that is not known."""
        if self.told(cause) is not Told.YES:
            return None
        try:
            left = int(self._redis.pttl(_key(cause)))
        except RedisError:
            return None
        return DIRECT_ALERT_KEPT - left / 1000 if left >= 0 else None

    def stands(self, cause: Cause) -> bool:
        """Keeps that PostgreSQL holds it. False: Redis does not answer, try again."""
        try:
            self._redis.set(_key(cause), "stands", ex=DIRECT_ALERT_KEPT)
        except RedisError:
            return False
        return True

    def forget(self, cause: Cause) -> bool:
        """Its end is told: the next outage is alerted anew. False: Redis does not answer, try again."""
        try:
            self._redis.delete(_key(cause))
        except RedisError:
            return False
        return True

    def _tell(self, alert: Alert) -> TelegramAnswer:
        if self._send is None:
            return TelegramAnswer(False, None, "This process does not alert past PostgreSQL.")
        with self._sending:
            time.sleep(max(0.0, self._next_at - self._clock()))
            answer = self._send(alert_text(alert))
            self._next_at = self._clock() + ALERT_SPACING
        return answer

    def _take_turn(self, cause: Cause) -> bool:
        # Where Redis is away too, each host speaks for itself. A host that dies while it has the turn loses it soon.
        try:
            return bool(self._redis.set(_key(cause), "turn", nx=True, ex=DIRECT_ALERT_TURN))
        except RedisError:
            return True

    def _give_turn_back(self, cause: Cause, asked_for: float) -> None:
        """Another host may try; but nobody does before the time that Telegram asked for (seconds)."""
        try:
            if asked_for > 0:
                self._redis.set(_key(cause), "turn", px=int(asked_for * 1000) + 1)
            else:
                self._redis.delete(_key(cause))
        except RedisError:
            return  # it expires by itself

    def _note(self, cause: Cause) -> None:
        try:
            self._redis.set(_key(cause), "done", ex=DIRECT_ALERT_KEPT)
        except RedisError:
            return  # then nobody else can ask for the turn either


def _key(cause: Cause) -> str:
    return f"tripwire:told:{cause.name}"
