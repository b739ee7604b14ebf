"""The history for the charts, asked of the API less often than the page renews itself.

It is the same for every admin and changes little from one refresh to the next, while it is the dearest of the page's
questions. It is kept per window and process, for a fraction of its bucket, and until somebody switches or an outage
begins or ends: its mark must not be missing then.
"""

import time
from collections.abc import Callable

from tripwire_admin_ui.api.calls import HistoryApi
from tripwire_admin_ui.api.client import Budget
from tripwire_admin_ui.presenters.system_state import SystemState
from tripwire_shared import timings
from tripwire_shared.answers.history import History

SHARE_OF_BUCKET = 6
Marks = tuple[int | None, ...]


class KeptHistory:
    """Whoever asks has just been let in by the API: what is kept is for admins only."""

    def __init__(self, api: HistoryApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        # Threads may ask twice at once and replace each other's answer: both are right.
        self._kept: dict[str, tuple[float, Marks, History]] = {}

    def read(self, token: str, budget: Budget, window: str, state: SystemState) -> History:
        """`state` is the system as the page shows it. Raises what the API client raises; nothing is kept then, and
        nothing old is given."""
        kept, marks = self._kept.get(window), _marks(state)
        if kept and self._clock() < kept[0] and kept[1] == marks:
            return kept[2]
        history = self._api.history(token, budget, window)
        for_seconds = min(history.bucket_seconds / SHARE_OF_BUCKET, timings.UI_HISTORY_KEPT_MAX)
        self._kept[window] = (self._clock() + for_seconds, marks, history)
        return history


def _marks(state: SystemState) -> Marks:
    """What changes when there is another mark to draw."""
    metrics = state.metrics
    open_now, last = (metrics.incident, metrics.last_incident) if metrics else (None, None)
    incidents = (incident.id if incident else None for incident in (open_now, last))
    return (state.mode.version if state.mode else None, *incidents)
