"""`Prefer: wait`: who waits for a request's end holds a few kilobytes, and neither a place in the application, nor a
thread, nor a database connection. All that are waited for in a process are asked for together, and so are the tokens of
those who wait: one that is revoked ends its waits."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.postgres.wakeups import Told
from tripwire_shared.serving.places import Place
from tripwire_shared.serving.stopping import STOPPING
from tripwire_shared.timings import PREFER_WAIT_POLL, PREFER_WAIT_TOKEN_POLL

# In a process; more are answered at once.
WAITS_AT_MOST = 2_000


@dataclass(eq=False)
class _Wait:
    token: str
    over: threading.Event = field(default_factory=threading.Event)


class LongWaits:
    """They are told by NOTIFY (`told`). `finished_among` gives those of some requests that are finished: asked now and
    then for all of them, in case that a notification was lost or came before the wait began. `is_good` says whether a
    token still is."""

    def __init__(
        self,
        finished_among: Callable[[Sequence[UUID]], Iterable[UUID]],
        is_good: Callable[[str], object],
        at_most: int = WAITS_AT_MOST,
        stopping: threading.Event = STOPPING,
    ) -> None:
        self._finished_among, self._is_good = finished_among, is_good
        self._at_most, self._stopping = at_most, stopping
        self._waiting: dict[UUID, list[_Wait]] = {}
        self._count = 0
        # Whether a thread asks: it begins with the first that waits, and ends with the last.
        self._asking = False
        # For all of these.
        self._lock = threading.Lock()

    def until_finished(self, request_id: UUID, seconds: float, place: Place, token: str) -> bool:
        """Returns when the request is finished, the seconds are over, the token is no good any more, or it is worth
        another look for other reasons; False: at once, since there are too many already or the process stops."""
        wait = _Wait(token)
        if not self._join(request_id, wait):
            return False
        try:
            with place.left():
                wait.over.wait(seconds)
        finally:
            self._leave(request_id, wait)
        return True

    def told(self, told: Told) -> None:
        """By the listener: these are finished, or anything may have happened."""
        if told.payloads is None:
            with self._lock:
                waiting = list(self._waiting)
            self._tell(waiting)
        elif self._waiting:
            self._tell([UUID(part) for ids in told.payloads for part in ids.split(",")])

    def _join(self, request_id: UUID, wait: _Wait) -> bool:
        with self._lock:
            if self._count >= self._at_most or self._stopping.is_set():
                return False
            self._count += 1
            self._waiting.setdefault(request_id, []).append(wait)
            begins, self._asking = not self._asking, True
        if begins:
            threading.Thread(target=self._ask, name="long-waits", daemon=True).start()
        return True

    def _leave(self, request_id: UUID, wait: _Wait) -> None:
        with self._lock:
            self._count -= 1
            others = [other for other in self._waiting[request_id] if other is not wait]
            if others:
                self._waiting[request_id] = others
            else:
                del self._waiting[request_id]

    def _ask(self) -> None:
        # The first time at once: it may have been finished before it was waited for.
        ask_at = time.monotonic()
        while waited_for := self._waited_for():
            try:
                if time.monotonic() >= ask_at:
                    ask_at = time.monotonic() + PREFER_WAIT_POLL
                    self._tell(self._finished_among(waited_for))
                self._end_revoked()
            except DatabaseUnavailable:
                self._tell(waited_for)  # each looks itself, and says what it finds
            except Exception:
                get_logger(__name__).exception("it could not be asked what is finished")
                self._tell(waited_for)
            if self._stopping.wait(PREFER_WAIT_TOKEN_POLL):
                break
        if self._stopping.is_set():
            self._tell(self._waited_for())

    def _waited_for(self) -> list[UUID]:
        with self._lock:
            self._asking = bool(self._waiting) and not self._stopping.is_set()
            return list(self._waiting)

    def _end_revoked(self) -> None:
        """Each token is asked for once, and what is known of it is younger than a second: most looks ask nobody."""
        with self._lock:
            waits = [wait for waits in self._waiting.values() for wait in waits]
        good = {token for token in {wait.token for wait in waits} if self._is_good(token)}
        for wait in waits:
            if wait.token not in good:
                wait.over.set()

    def _tell(self, request_ids: Iterable[UUID]) -> None:
        with self._lock:
            told = [wait for request_id in request_ids for wait in self._waiting.get(request_id, ())]
        for wait in told:
            wait.over.set()
