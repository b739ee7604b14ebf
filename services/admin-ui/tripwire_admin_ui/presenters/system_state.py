"""Everything that the pages say about the system, read from the API at one moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from flask import request

from tripwire_admin_ui.api.calls import SystemApi
from tripwire_admin_ui.api.client import ApiClient, Budget, page_budget
from tripwire_admin_ui.api.failures import ApiFailure, ApiUnreachable, DatabaseAway, NotAllowed, NotSignedIn
from tripwire_admin_ui.api.parallel_calls import Pending
from tripwire_shared.answers.system import Metrics, ModeReport
from tripwire_shared.answers.vocabulary import RequestStatus

T = TypeVar("T")


@dataclass(frozen=True)
class SystemState:
    """What could not be read is None, and its failure is in `failures`."""

    read_at: datetime
    mode: ModeReport | None
    metrics: Metrics | None
    failed_requests: int | None
    failures: tuple[ApiFailure, ...] = ()

    @property
    def api_away(self) -> ApiUnreachable | None:
        """Nothing is known, because the API does not answer: how it failed."""
        if self.mode is not None or self.metrics is not None:
            return None
        return next((failure for failure in self.failures if isinstance(failure, ApiUnreachable)), None)

    @property
    def database_down(self) -> bool:
        """It cannot be reached, or it can be read and takes no writes: then its incident is open."""
        if any(isinstance(failure, DatabaseAway) for failure in self.failures):
            return True
        incident = self.metrics.incident if self.metrics else None
        is_open = incident is not None and incident.cause == "database unavailable"
        return is_open or (self.metrics is not None and self.metrics.postgresql == "down")

    @property
    def redis_down(self) -> bool:
        return self.metrics is not None and self.metrics.redis == "down"

    @property
    def direct(self) -> bool:
        return self.mode is not None and self.mode.mode == "sync_direct"

    def count(self, name: str) -> int | None:
        """A figure by its name in the contract; None is unknown."""
        return getattr(self.metrics, name) if self.metrics else None


class Reader:
    """Asks for the parts of one page, all at the same time and within one budget."""

    def __init__(self) -> None:
        # The page after a form has its own: the form may have used up the other.
        self.budget = Budget() if request.method == "POST" else page_budget()
        self.failures: list[ApiFailure] = []

    def ask(self, call: Callable[[], T]) -> Pending[T]:
        return Pending(call)

    def read(self, asked: Pending[T]) -> T | None:
        """None where it could not be read; why stands in `failures`."""
        try:
            return asked.result()
        except (NotSignedIn, NotAllowed):
            raise  # concerns the page as a whole
        except ApiFailure as failure:
            self.failures.append(failure)
            return None


class StateReading:
    """ModeReport and figures, asked for at once; `state` waits for them."""

    def __init__(self, api: ApiClient, token: str, reader: Reader) -> None:
        self._reader, system = reader, SystemApi(api)
        self._mode = reader.ask(lambda: system.mode(token, reader.budget))
        self._metrics = reader.ask(lambda: system.metrics(token, reader.budget))

    @cached_property
    def state(self) -> SystemState:
        mode, metrics = self._reader.read(self._mode), self._reader.read(self._metrics)
        return SystemState(
            read_at=datetime.now(UTC),
            mode=mode,
            metrics=metrics,
            failed_requests=metrics.states.get(RequestStatus.FAILED) if metrics else None,
            failures=tuple(self._reader.failures),
        )


def read_system_state(api: ApiClient, token: str) -> SystemState:
    """ModeReport and figures, where a page reads nothing else."""
    return StateReading(api, token, Reader()).state
