"""Everything that the pages say about the system, read from the API at one moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from flask import request

from tripwire_admin_ui.api_client import (
    ApiClient,
    ApiFailure,
    ApiUnreachable,
    Budget,
    DatabaseAway,
    NotAllowed,
    NotSignedIn,
    page_budget,
)
from tripwire_admin_ui.api_system import Metrics, Mode, SystemApi

T = TypeVar("T")


@dataclass(frozen=True)
class SystemState:
    """What could not be read is None, and its failure is in `failures`."""

    read_at: datetime
    mode: Mode | None
    metrics: Metrics | None
    failed_requests: int | None
    failures: tuple[ApiFailure, ...] = ()

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

    def count(self, name: str) -> int | None:
        """A figure by its name in the contract; None is unknown."""
        return self.metrics.count(name) if self.metrics else None


class Reader:
    """Asks for one part after the other within one budget; once the API does not answer, it is asked no more."""

    def __init__(self) -> None:
        # The page after a form has its own: the form may have used up the other.
        self.budget = Budget() if request.method == "POST" else page_budget()
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


def read_system_state(api: ApiClient, token: str, reader: Reader | None = None) -> SystemState:
    """Mode and figures. A `reader` is given where a page reads more than these."""
    reader = reader or Reader()
    system = SystemApi(api)
    mode = reader.read(lambda: system.mode(token, reader.budget))
    metrics = reader.read(lambda: system.metrics(token, reader.budget))
    return SystemState(
        read_at=datetime.now(UTC),
        mode=mode,
        metrics=metrics,
        failed_requests=metrics.states.get("failed") if metrics else None,
        failures=tuple(reader.failures),
    )
