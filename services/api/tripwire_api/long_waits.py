"""`Prefer: wait`: who waits for a request's end holds a few kilobytes, and neither a place in the application, nor a
thread, nor a database connection. All that are waited for in a process are asked for together."""

import threading
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.logs import get_logger
from tripwire_shared.serving.places import Place
from tripwire_shared.serving.stopping import STOPPING
from tripwire_shared.timings import PREFER_WAIT_POLL
from tripwire_shared.wakeups import Told

# In a process; more are answered at once.
WAITS_AT_MOST = 2_000


class LongWaits:
    """They are told by NOTIFY (`told`). `finished_among` gives those of some requests that are finished: asked now and
    then for all of them, in case that a notification was lost or came before the wait began."""

    def __init__(
        self,
        finished_among: Callable[[Sequence[UUID]], Iterable[UUID]],
        at_most: int = WAITS_AT_MOST,
        stopping: threading.Event = STOPPING,
    ) -> None:
        self._finished_among, self._at_most, self._stopping = finished_among, at_most, stopping
        self._waiting: dict[UUID, list[threading.Event]] = {}
        self._count = 0
        # Whether a thread asks: it begins with the first that waits, and ends with the last.
        self._asking = False
        # For all of these.
        self._lock = threading.Lock()

    def until_finished(self, request_id: UUID, seconds: float, place: Place) -> bool:
        """Returns when the request is finished, the seconds are over, or it is worth another look for other reasons;
        False: at once, since there are too many already or the process stops."""
        told = threading.Event()
        if not self._join(request_id, told):
            return False
        try:
            with place.left():
                told.wait(seconds)
        finally:
            self._leave(request_id, told)
        return True

    def told(self, told: Told) -> None:
        """By the listener: these are finished, or anything may have happened."""
        if told.payloads is None:
            with self._lock:
                waiting = list(self._waiting)
            self._tell(waiting)
        elif self._waiting:
            self._tell([UUID(part) for ids in told.payloads for part in ids.split(",")])

    def _join(self, request_id: UUID, told: threading.Event) -> bool:
        with self._lock:
            if self._count >= self._at_most or self._stopping.is_set():
                return False
            self._count += 1
            self._waiting.setdefault(request_id, []).append(told)
            begins, self._asking = not self._asking, True
        if begins:
            threading.Thread(target=self._ask, name="long-waits", daemon=True).start()
        return True

    def _leave(self, request_id: UUID, told: threading.Event) -> None:
        with self._lock:
            self._count -= 1
            others = [other for other in self._waiting[request_id] if other is not told]
            if others:
                self._waiting[request_id] = others
            else:
                del self._waiting[request_id]

    def _ask(self) -> None:
        # The first time at once: it may have been finished before it was waited for.
        while waited_for := self._waited_for():
            try:
                self._tell(self._finished_among(waited_for))
            except DatabaseUnavailable:
                self._tell(waited_for)  # each looks itself, and says what it finds
            except Exception:
                get_logger(__name__).exception("it could not be asked what is finished")
                self._tell(waited_for)
            if self._stopping.wait(PREFER_WAIT_POLL):
                break
        if self._stopping.is_set():
            self._tell(self._waited_for())

    def _waited_for(self) -> list[UUID]:
        with self._lock:
            self._asking = bool(self._waiting) and not self._stopping.is_set()
            return list(self._waiting)

    def _tell(self, request_ids: Iterable[UUID]) -> None:
        with self._lock:
            told = [event for request_id in request_ids for event in self._waiting.get(request_id, ())]
        for event in told:
            event.set()
