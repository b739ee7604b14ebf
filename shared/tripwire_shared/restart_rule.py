"""When a process that died is started again. Pure."""

from collections import deque

from tripwire_shared.timings import DEATHS_WINDOW, RESTART_PAUSE, RESTART_SLOW_PAUSE

DEATHS_UNTIL_SLOW = 5


class RestartRule:
    """How long a dead process rests: hardly at all, but ten seconds from its fifth death in a minute on."""

    def __init__(self) -> None:
        self._deaths: deque[float] = deque(maxlen=DEATHS_UNTIL_SLOW)

    def pause_after_death(self, now: float) -> float:
        """Notes a death at `now` (seconds of a steady clock); the seconds until the next start."""
        self._deaths.append(now)
        often = len(self._deaths) == DEATHS_UNTIL_SLOW and now - self._deaths[0] <= DEATHS_WINDOW
        return RESTART_SLOW_PAUSE if often else RESTART_PAUSE
