"""A part's last 24 hours as 48 bars: shapes for one SVG, since a page may carry no style of its own. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

STEP, WIDTH = 4.0, 3.0
# y and height of a bar: what was down, and what is not known, is told by the height, not by the colour alone.
HEIGHTS = {"up": (4, 16), "partly": (0, 20), "down": (0, 20), "unknown": (15, 5)}
WORDS = {"unknown": "not measured"}  # where people call it otherwise than the API


@dataclass(frozen=True)
class StatusBars:
    """`paths` are (state, path) of all bars of that state; `counts` says them in words for screen readers."""

    width: int
    paths: tuple[tuple[str, str], ...]
    summary: str


def status_bars(words: Sequence[str]) -> StatusBars:
    known = [word if word in HEIGHTS else "unknown" for word in words]
    paths = [(state, _path(known, state)) for state in HEIGHTS if state in known]
    counted = ", ".join(f"{known.count(state)} {WORDS.get(state, state)}" for state in HEIGHTS if state in known)
    return StatusBars(int(len(known) * STEP - (STEP - WIDTH)), tuple(paths), f"{len(known)} half hours: {counted}")


def _path(words: list[str], state: str) -> str:
    y, height = HEIGHTS[state]
    return "".join(
        f"M{place * STEP:g} {y}h{WIDTH:g}v{height}h-{WIDTH:g}z" for place, word in enumerate(words) if word == state
    )
