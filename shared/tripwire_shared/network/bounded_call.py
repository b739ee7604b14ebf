"""Calls of other people's servers that end: an HTTP library limits each read, not all of them together, so that one
that sends a byte now and then could hold a thread for ever.

Each call runs in a thread of its own. One that takes too long is given up, not stopped: nothing can stop a thread, and
it ends with its server. What must not be done twice, such as a mail, is therefore not called this way. So that threads
do not gather, only so many calls are under way at once, given up or not.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
# More than all threads of a process that call (WEB_THREADS, WORKER_CONCURRENCY); hung ones only come on top.
AT_ONCE = 64


class TookTooLong(Exception):
    """No answer within the limit, or too many earlier calls still hang."""


class BoundedCalls:
    """`limit`: seconds that a call may take. Safe for threads."""

    def __init__(self, limit: float, at_once: int = AT_ONCE) -> None:
        self._limit = limit
        self._slots = threading.BoundedSemaphore(at_once)

    def run(self, call: Callable[[], T]) -> T:
        """What `call` gives or raises. Raises TookTooLong."""
        if not self._slots.acquire(blocking=False):
            raise TookTooLong
        answer: Future[T] = Future()
        threading.Thread(target=self._call, args=(call, answer), name="bounded-call", daemon=True).start()
        try:
            return answer.result(self._limit)
        except TimeoutError:
            raise TookTooLong from None

    def _call(self, call: Callable[[], Any], answer: Future[Any]) -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # whatever it is, it is the caller's
            answer.set_exception(error)
        finally:
            self._slots.release()
