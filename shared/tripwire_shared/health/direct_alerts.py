"""Alerts past PostgreSQL, for when it is away: by the sweep process, so once a host; once in all where Redis is up."""

import threading
import time
from collections.abc import Callable
from enum import Enum

from redis import Redis
from redis.exceptions import RedisError

from tripwire_shared.health.alert import Alert, alert_text
from tripwire_shared.health.causes import Cause
from tripwire_shared.timings import ALERT_BACKOFF, ALERT_SPACING, DIRECT_ALERT_KEPT, DIRECT_ALERT_TURN


class _Turn(Enum):
    MINE = "mine"
    ANOTHERS = "another's"
    DONE = "done"


class DirectAlerts:
    """`send` gives a text to Telegram and says whether it arrived."""

    def __init__(self, redis: Redis, send: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._redis, self._send, self._clock = redis, send, clock
        # Three threads send: the background writer's two and the watch.
        self._sending = threading.Lock()
        self._next_at = 0.0
        self._failures = 0
        self._try_again_at = 0.0

    def send(self, alert: Alert) -> bool:
        """Whether it arrived. At most one a second."""
        with self._sending:
            time.sleep(max(0.0, self._next_at - self._clock()))
            arrived = self._send(alert_text(alert))
            self._next_at = self._clock() + ALERT_SPACING
        return arrived

    def send_once(self, cause: Cause, alert: Alert) -> bool:
        """Whether it is out, through this host or another. Call it again while it is not."""
        if self._clock() < self._try_again_at:
            return False
        turn = self._turn(cause)
        if turn is not _Turn.MINE:
            return turn is _Turn.DONE
        arrived = self.send(alert)
        if arrived:
            self._failures, self._try_again_at = 0, 0.0
            self._note(cause)
        else:
            self._try_again_at = self._clock() + ALERT_BACKOFF[min(self._failures, len(ALERT_BACKOFF) - 1)]
            self._failures += 1
            self.forget(cause)
        return arrived

    def forget(self, cause: Cause) -> None:
        """The next outage is alerted anew; or another host may try."""
        try:
            self._redis.delete(_key(cause))
        except RedisError:
            return  # it expires by itself

    def _turn(self, cause: Cause) -> _Turn:
        # Where Redis is away too, each host speaks for itself. A host that dies while it has the turn loses it soon.
        try:
            if self._redis.set(_key(cause), "turn", nx=True, ex=DIRECT_ALERT_TURN):
                return _Turn.MINE
            return _Turn.DONE if self._redis.get(_key(cause)) == b"done" else _Turn.ANOTHERS
        except RedisError:
            return _Turn.MINE

    def _note(self, cause: Cause) -> None:
        try:
            self._redis.set(_key(cause), "done", ex=DIRECT_ALERT_KEPT)
        except RedisError:
            return  # then nobody else can ask for the turn either


def _key(cause: Cause) -> str:
    return f"tripwire:told:{cause.name}"
