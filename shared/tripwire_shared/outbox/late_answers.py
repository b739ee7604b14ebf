"""Messages of one deliverer that are out and whose receiver still thinks: a mail server may do so for ten minutes.

A thread waits for each, and does nothing else; what its end means is written by the deliverer, so that this still has
one connection to PostgreSQL at a time. There are only so many at once: then the deliverer begins nothing new, since a
server that answers so many not at all hangs.
"""

import threading
import time
from collections.abc import Callable

from tripwire_shared.logs import get_logger
from tripwire_shared.outbox.outbox import Message
from tripwire_shared.outbox.outcomes import DeliveryFailed, LateAnswer, OutcomeUnknown

AT_ONCE = 10


class Owing:
    """One of them. `noted`, `failing`: that it is out, and that this takes long, stands in the outbox."""

    def __init__(self, message: Message, answer: LateAnswer) -> None:
        self.message, self.answer = message, answer
        self.since = time.monotonic()
        self.over, self.failure = False, None  # type: bool, DeliveryFailed | None
        self.noted = self.failing = False


class LateAnswers:
    """`on_end` is called by the thread that waited, each time one is over."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._changed = threading.Condition()
        self._owing: list[Owing] = []
        self._stopping = False

    def add(self, message: Message, answer: LateAnswer) -> Owing:
        owing = Owing(message, answer)
        self._owing.append(owing)
        threading.Thread(target=self._wait, args=(owing,), name="late-answer", daemon=True).start()
        return owing

    @property
    def owing(self) -> list[Owing]:
        """For the deliverer's thread alone, as the two methods beside it."""
        return list(self._owing)

    @property
    def full(self) -> bool:
        return len(self._owing) >= AT_ONCE

    def remove(self, owing: Owing) -> None:
        self._owing.remove(owing)

    def wait_for(self, owing: Owing, seconds: float) -> None:
        """Until it is over, or this ends."""
        with self._changed:
            self._changed.wait_for(lambda: owing.over or self._stopping, seconds)

    def stop(self) -> None:
        """Nobody waits any more, unless by `end`."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def end(self, patience: float) -> None:
        """All are over after it: those that are not after `patience` seconds are cut off."""
        for seconds in (patience, patience):
            with self._changed:
                self._changed.wait_for(lambda: all(owing.over for owing in self._owing), seconds)
            for owing in self._owing:
                if not owing.over:
                    owing.answer.cut()

    def _wait(self, owing: Owing) -> None:
        failure: DeliveryFailed | None = None
        try:
            owing.answer.wait()
        except DeliveryFailed as error:
            failure = error
        except Exception as error:
            get_logger(__name__).exception("waiting for an answer failed unexpectedly", message_id=owing.message.id)
            failure = OutcomeUnknown(f"Outcome unknown ({type(error).__name__}).")
        with self._changed:
            owing.failure, owing.over = failure, True
            self._changed.notify_all()
        self._on_end()
