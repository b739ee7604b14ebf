"""The figures: a table to read, a file to compare."""

import json
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured value; None where it could not be told. `at_least` or `at_most` is its target, where it has one.

    `information` says what else the limit is than a target of this run: it is shown, and missed by nobody.
    """

    name: str
    value: float | None
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    information: str = ""

    @property
    def shown(self) -> str:
        if self.value is None:
            return "unknown"
        return f"{self.value:,.0f}" if self.value >= 1000 or self.value == int(self.value) else f"{self.value:.3g}"

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:.3g}"
        return "" if self.at_most is None else f"<= {self.at_most:.3g}"

    @property
    def verdict(self) -> str:
        if not self.target:
            return ""
        if self.value is None:
            return "UNKNOWN"
        reached = self.value >= self.at_least if self.at_least is not None else self.value <= (self.at_most or 0.0)
        if self.information:
            return f"{'within' if reached else 'beyond'} ({self.information})"
        return "reached" if reached else "MISSED"


@dataclass
class Report:
    """`others_percent`: what others took of the processors at the start, and during each part. Where that is much,
    mistrust times."""

    others_percent: dict[str, float] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    @property
    def not_reached(self) -> int:
        return sum(one.verdict in ("MISSED", "UNKNOWN") for one in self.figures)

    def add(self, title: str, *figures: Figure) -> None:
        """Keeps the figures, and prints them under a title as soon as they are there."""
        self.figures += figures
        print(f"\n{title}", flush=True)
        for one in figures:
            print(f"  {one.name:<60} {one.shown:>9} {one.unit:<4} {one.target:<8} {one.verdict}".rstrip(), flush=True)

    def note_others(self, when: str, percent: float) -> None:
        self.others_percent[when] = round(percent, 1)
        print(f"\nOthers took {percent:.0f} % of the processors ({when}).", flush=True)

    def write(self, name: str) -> Path:
        machine = {
            "cores": psutil.cpu_count(),
            "python": platform.python_version(),
            "others_percent": self.others_percent,
        }
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{name}.json"
        figures = [{**asdict(one), "verdict": one.verdict} for one in self.figures]
        file.write_text(json.dumps({"machine": machine, "figures": figures}, indent=2) + "\n", encoding="utf-8")
        return file
