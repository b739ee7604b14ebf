"""What one page reads of the API: for admins the state of the system first, then the page's own parts."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.api.failures import ApiFailure, ApiUnreachable, NotAllowed, NotSignedIn, NotThere
from tripwire_admin_ui.api.parallel_calls import Pending
from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.auth.scripted_requests import is_refresh
from tripwire_admin_ui.frame.live_page import live_page, not_renewed
from tripwire_admin_ui.presenters.system_state import Reader, StateReading, SystemState

T = TypeVar("T")


class PageReader:
    """A part that cannot be read is None, and `failure` says why; the rest of the page stays."""

    def __init__(self, api: ApiClient) -> None:
        self.person = person()
        self.token = self.person.token
        self.failure: ApiFailure | None = None
        system = Reader()
        self.budget = system.budget  # one for all that the page asks
        # Sales sees nothing of the system, so nothing of it is asked.
        self._system = StateReading(api, self.token, system) if self.person.is_admin else None

    @cached_property
    def state(self) -> SystemState:
        return self._system.state if self._system else SystemState(datetime.now(UTC), None, None, None)

    def ask(self, call: Callable[[], T]) -> Pending[T]:
        """Begins it; what is asked for before anything is read goes on at the same time."""
        return Pending(call)

    def read(self, asked: Pending[T]) -> T | None:
        """Raises NotThere, NotAllowed and NotSignedIn: they concern the page as a whole."""
        try:
            return asked.result()
        except (NotThere, NotSignedIn, NotAllowed):
            raise
        except ApiFailure as failure:
            self.failure = self.failure or failure
            return None

    def show(self, template: str, **context: object) -> str | tuple[str, int]:
        """As `live_page` does, also where the API was lost after the state was read."""
        if isinstance(self.failure, ApiUnreachable):
            if is_refresh():
                return not_renewed(self.failure)
            if not self.person.is_admin:
                raise self.failure
        return live_page(template, self.state, failure=self.failure, **context)
