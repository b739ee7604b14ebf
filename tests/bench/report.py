"""The figures: a table to read, a file to compare."""

import json
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured value. `at_least` or `below` is its target, where it has one."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    below: float | None = None

    @property
    def shown(self) -> str:
        return f"{self.value:,.0f}" if self.value >= 1000 or self.value == int(self.value) else f"{self.value:.3g}"

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "" if self.below is None else f"< {self.below:g}"

    @property
    def verdict(self) -> str:
        if not self.target:
            return ""
        reached = self.value >= self.at_least if self.at_least is not None else self.value < (self.below or 0.0)
        return "reached" if reached else "BELOW TARGET"


@dataclass
class Report:
    """`busy_percent`: what others took of the processors at the start; where that is much, mistrust times."""

    busy_percent: float
    figures: list[Figure] = field(default_factory=list)

    def add(self, title: str, *figures: Figure) -> None:
        """Keeps the figures, and prints them under a title as soon as they are there."""
        self.figures += figures
        print(f"\n{title}", flush=True)
        for one in figures:
            print(f"  {one.name:<60} {one.shown:>9} {one.unit:<4} {one.target:<7} {one.verdict}".rstrip(), flush=True)

    def write(self, name: str) -> Path:
        machine = {"cores": psutil.cpu_count(), "python": platform.python_version(), "busy_percent": self.busy_percent}
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{name}.json"
        figures = [{**asdict(one), "verdict": one.verdict} for one in self.figures]
        file.write_text(json.dumps({"machine": machine, "figures": figures}, indent=2) + "\n", encoding="utf-8")
        return file
