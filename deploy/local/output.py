"""What a local run prints: its own lines as they are, those of its children after their name."""

import io
import os
import sys
import threading
from collections.abc import Callable


class Output:
    """Whole lines on standard output, from any thread. A reader that went away (`make run | head`) stops nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        if isinstance(sys.stdout, io.TextIOWrapper):  # what a terminal of an old encoding cannot show is escaped
            sys.stdout.reconfigure(errors="backslashreplace")

    def say(self, line: str) -> None:
        with self._lock:
            try:
                print(line, flush=True)
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def of(self, name: str) -> Callable[[str], None]:
        """The place for the lines of the child `name`."""
        return lambda line: self.say(f"{name:<8} | {line}")
