"""How the tour is set in the terminal: steps, what was done, what was seen, and whether it was what was promised."""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import TextIO

INDENT = "   "
WIDEST = 110


class Show:
    """Counts what was seen and what differed. Colours only on a terminal, and not where NO_COLOR asks for none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._colours = stream.isatty() and not os.environ.get("NO_COLOR")
        self._width = min(shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)
        self._steps = 0
        self.seen = 0
        self.differences: list[str] = []

    def title(self, text: str) -> None:
        self._line(self._in("1", text))

    def say(self, text: str) -> None:
        self._line(text)

    def step(self, what: str) -> None:
        self._steps += 1
        self._line("")
        self._line(self._in("1", f"{self._steps}  {what}"))

    def do(self, what: str) -> None:
        """What the tour does now."""
        self._line(INDENT + self._in("2", f"$ {what}"))

    def see(self, what: str, *, expected: bool, instead_of: str = "") -> bool:
        """What was seen; `instead_of` says what was promised, where it is not `expected`."""
        self.seen += 1
        if expected:
            self._line(f"{INDENT}{self._in('32', '✓')} {what}")
        else:
            self.differences.append(what)
            promised = f" (promised: {instead_of})" if instead_of else ""
            self._line(f"{INDENT}{self._in('31', '✗')} {what}{promised}")
        return expected

    def quote(self, lines: Iterable[str]) -> None:
        """Something as it came: a mail, an alert."""
        for line in lines:
            for part in textwrap.wrap(line, self._width - 8) or [""]:
                self._line(f"{INDENT}  {self._in('2', '│')} {part}".rstrip())

    def _line(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text


def on_standard_output() -> Show:
    # An old terminal's encoding must not end the tour at its first tick.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a TextIOWrapper, as long as nobody replaced it
    return Show(sys.stdout)
