"""The death of a process in the middle of its work, for tests that run it in their own process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2.extensions


class Died(BaseException):
    """The process is gone: nothing of it runs any more (no handler of ours catches this)."""


class Death:
    """Lets the process die when the database has answered so often, its connection and open transaction with it."""

    def __init__(self) -> None:
        self._left: int | None = None
        wait = psycopg2.extensions.get_wait_callback()

        def wait_or_die(connection: Any) -> None:
            wait(connection)
            if self._left is not None:
                self._left -= 1
                if self._left == 0:
                    raise Died

        psycopg2.extensions.set_wait_callback(wait_or_die)

    @contextmanager
    def after(self, answers: int | None) -> Iterator[None]:
        self._left = answers
        try:
            yield
        except Died:
            pass
        finally:
            self._left = None
