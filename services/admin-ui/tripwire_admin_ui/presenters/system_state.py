"""Everything that the pages say about the system, as the API told it at one moment. Pure."""

from dataclasses import dataclass
from datetime import datetime

from tripwire_admin_ui.api.failures import ApiFailure, ApiUnreachable, DatabaseAway
from tripwire_shared.answers.system import Metrics, ModeReport
from tripwire_shared.answers.vocabulary import RequestStatus


@dataclass(frozen=True)
class SystemState:
    """What could not be read is None, and its failure is in `failures`."""

    read_at: datetime
    mode: ModeReport | None
    metrics: Metrics | None
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
    def failed_requests(self) -> int | None:
        """How many wait for an admin; None is unknown."""
        return self.metrics.states[RequestStatus.FAILED] if self.metrics else None

    @property
    def direct(self) -> bool:
        return self.mode is not None and self.mode.mode == "sync_direct"

    def count(self, name: str) -> int | None:
        """A figure by its name in the contract; None is unknown."""
        return getattr(self.metrics, name) if self.metrics else None
