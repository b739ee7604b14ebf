"""Everything that the pages say about the system, read from the API at one moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from tripwire_admin_ui.api_answers import HealthEvent, Metrics, Mode
from tripwire_admin_ui.api_client import (
    ApiClient,
    ApiFailure,
    ApiUnreachable,
    Budget,
    DatabaseAway,
    NotAllowed,
    NotSignedIn,
)

T = TypeVar("T")


@dataclass(frozen=True)
class SystemState:
    """What could not be read is None, and its failure is in `failures`."""

    read_at: datetime
    mode: Mode | None
    metrics: Metrics | None
    failed_requests: int | None
    failures: tuple[ApiFailure, ...] = ()
    events: tuple[HealthEvent, ...] | None = None

    @property
    def api_away(self) -> bool:
        """Nothing is known, because the API does not answer."""
        unreachable = any(isinstance(failure, ApiUnreachable) for failure in self.failures)
        return unreachable and self.mode is None and self.metrics is None

    @property
    def database_down(self) -> bool:
        refused = any(isinstance(failure, DatabaseAway) for failure in self.failures)
        return refused or (self.metrics is not None and self.metrics.postgresql == "down")

    @property
    def redis_down(self) -> bool:
        return self.metrics is not None and self.metrics.redis == "down"

    @property
    def direct(self) -> bool:
        return self.mode is not None and self.mode.mode == "sync_direct"


class Reader:
    """Asks for one part after the other; once the API does not answer, it is asked no more for this page."""

    def __init__(self) -> None:
        self.failures: list[ApiFailure] = []

    def read(self, call: Callable[[], T]) -> T | None:
        if any(isinstance(failure, ApiUnreachable) for failure in self.failures):
            return None
        try:
            return call()
        except (NotSignedIn, NotAllowed):
            raise  # concerns the page as a whole
        except ApiFailure as failure:
            self.failures.append(failure)
            return None


def read_system_state(api: ApiClient, token: str, events: int = 0, event_type: str = "") -> SystemState:
    """Mode, figures and the number of failed requests; with `events`, also so many lines of the health log."""
    budget = Budget()
    reader = Reader()
    mode = reader.read(lambda: api.mode(token, budget))
    metrics = reader.read(lambda: api.metrics(token, budget))
    failed = reader.read(lambda: api.requests(token, budget, limit=1, status="failed"))
    lines = reader.read(lambda: api.events(token, budget, events, event_type)) if events else None
    return SystemState(
        read_at=datetime.now(UTC),
        mode=mode,
        metrics=metrics,
        failed_requests=failed.total if failed else None,
        failures=tuple(reader.failures),
        events=lines,
    )
