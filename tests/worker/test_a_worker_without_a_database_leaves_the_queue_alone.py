"""While PostgreSQL is away the worker takes ids off the queue slowly: each that it takes only becomes the sweep's."""

import threading
from typing import Any
from uuid import uuid4

import pytest

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.timings import DATABASE_RETRY_PAUSE
from tripwire_worker.attempts import Attempts
from tripwire_worker.meter import AttemptMeter
from tripwire_worker.request_worker import RequestWorker


class Away:
    """The queue has an id each time; PostgreSQL does not answer. What is asked of the parts stands in one class."""

    queue_key, set_at_most = "queue", 1

    def __init__(self, *, limited: bool) -> None:
        self.limited = limited

    def blmpop(self, *_: Any, **__: Any) -> tuple[bytes, list[bytes]]:
        return b"queue", [str(uuid4()).encode()]

    def set_size(self, at_most: int) -> int:
        return at_most

    def started(self, *_: Any) -> None:
        return

    def ended(self, *_: Any, **__: Any) -> None:
        return

    def claimable(self, *_: Any) -> int:
        raise DatabaseUnavailable

    def provision_new(self, *_: Any) -> list[Any]:
        raise DatabaseUnavailable


class Pauses(threading.Event):
    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return False


@pytest.mark.parametrize("limited", [True, False])
def test_it_rests_between_two_of_them(limited: bool) -> None:
    away: Any = Away(limited=limited)
    stopped = Pauses()
    worker = RequestWorker(
        away, "a worker", away, away, away, Attempts(1), AttemptMeter(), stopped=stopped, beat=lambda: None
    )
    for _ in range(3):
        worker.run_once(away)
    assert stopped.seconds == [DATABASE_RETRY_PAUSE] * 2, "before the second and the third"
