"""How often and how fast a request is tried. Pure.

An attempt that fails for a passing reason (a server is away, slow or refuses for the moment) is not counted; one that
fails for another, or that kills its process, is.
"""

from dataclasses import dataclass

# Passing failures: the longest pause between two tries, and how long they may go on before the request fails.
PASSING_PAUSE_AT_MOST = 60.0
PASSING_AT_MOST = 3_600.0


@dataclass(frozen=True)
class AttemptRules:
    """`head_start`: seconds that the queue has with a new request before the sweep may take it."""

    max_attempts: int
    backoff_base: float
    head_start: float

    def pause_after(self, attempts: int) -> float:
        """Seconds after the `attempts`-th failed attempt: base, 2·base, 4·base, …"""
        return float(self.backoff_base * 2 ** (attempts - 1))

    def pause_after_passing(self, failures: int, asked_for: float | None) -> float:
        """Seconds after the `failures`-th passing failure in a row: the same, at most a minute, and no less than the
        server asked for (Retry-After)."""
        doubled = self.pause_after(min(failures, 30))
        return max(min(doubled, PASSING_PAUSE_AT_MOST), min(asked_for or 0.0, PASSING_AT_MOST))
