"""Who waits for a request's end in this process (`Prefer: wait`), and is woken when it is told."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from tripwire_shared.wakeups import Told


class FinishedRequests:
    """An event for each who waits. That it is set says: look. Whoever waits looks once after it is watched, so that
    nothing is missed between the look before and the watch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[UUID, set[threading.Event]] = defaultdict(set)

    @contextmanager
    def watched(self, request_id: UUID) -> Iterator[threading.Event]:
        """Gives the event that is set when the request may have come to its end."""
        event = threading.Event()
        with self._lock:
            self._waiting[request_id].add(event)
        try:
            yield event
        finally:
            with self._lock:
                self._waiting[request_id].discard(event)
                if not self._waiting[request_id]:
                    del self._waiting[request_id]

    def told(self, told: Told) -> None:
        if told.payloads is None:
            self.end_waits()
        elif self._waiting:
            self._wake([UUID(part) for ids in told.payloads for part in ids.split(",")])

    def end_waits(self) -> None:
        """Has everybody look; a signal's handler may call it, in a thread that never waits here."""
        with self._lock:
            waiting = list(self._waiting)
        self._wake(waiting)

    def _wake(self, request_ids: list[UUID]) -> None:
        with self._lock:
            events = [event for request_id in request_ids for event in self._waiting.get(request_id, ())]
        for event in events:
            event.set()
