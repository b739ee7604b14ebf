"""What went out and does not stand in the outbox yet: whoever comes after a killed process sends it again."""

import threading
from collections.abc import Callable, Sequence

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.outbox.outbox import Message
from tripwire_shared.timings import DATABASE_RETRY_PAUSE, MAIL_NOTED_WITHIN


class Unmarked:
    """Of one batch. The deliverer marks at the batch's end; before that a timer does, MAIL_NOTED_WITHIN after the first
    went out, since the delivery under way may hang.

    The lock is held while marking, so that the deliverer begins nothing meanwhile: a slow database slows the mails.
    """

    def __init__(self, mark: Callable[[Sequence[Message]], None], stopped: threading.Event) -> None:
        self._mark, self._stopped = mark, stopped
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        self._timer: threading.Timer | None = None
        self._failed = False

    def add(self, message: Message) -> None:
        """It is out."""
        with self._lock:
            self._messages.append(message)

    def watch(self) -> bool:
        """Before another delivery begins: what is out will be marked in time. False where that failed already: nothing
        more may go out then, since after a kill all of it would go out again."""
        with self._lock:
            if self._messages and self._timer is None:
                self._timer = threading.Timer(MAIL_NOTED_WITHIN, self._mark_in_time)
                self._timer.daemon = True
                self._timer.start()
            return not self._failed

    def mark(self) -> None:
        """Marks now. Keeps trying while the database is away, until the deliverer is stopped; then raises
        DatabaseUnavailable."""
        while True:
            try:
                return self._mark_all()
            except DatabaseUnavailable:
                if self._stopped.wait(DATABASE_RETRY_PAUSE):
                    raise

    def _mark_in_time(self) -> None:
        try:
            self._mark_all()
        except Exception:  # the deliverer, which now ends its batch, meets the same and says it
            self._failed = True

    def _mark_all(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._messages:
                self._mark(self._messages)
                self._messages = []
                self._failed = False
