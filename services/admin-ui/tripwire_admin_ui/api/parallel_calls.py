"""Calls to the API that are under way at the same time: a page waits for its slowest call, not for their sum."""

import contextvars
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Pending(Generic[T]):
    """`call`, begun at once in a thread of its own (under gevent a greenlet), with this request's context.

    Nothing bounds it here: the call keeps to the page's budget itself.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._results: list[T] = []
        self._error: BaseException | None = None
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), daemon=True)
        self._thread.start()

    def result(self) -> T:
        """What the call gives, or raises."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as error:  # raised where somebody waits for it
            self._error = error
