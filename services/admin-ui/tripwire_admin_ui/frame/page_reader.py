"""What one page reads of the API: for admins the state of the system, and the page's own parts, all at the same time
and within one budget."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from flask import request

from tripwire_admin_ui.api.calls import SystemApi
from tripwire_admin_ui.api.client import ApiClient, Budget, page_budget
from tripwire_admin_ui.api.failures import ApiFailure, ApiUnreachable, NotAllowed, NotSignedIn, NotThere
from tripwire_admin_ui.api.parallel_calls import Pending
from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.auth.scripted_requests import is_refresh
from tripwire_admin_ui.frame.live_page import live_page, not_renewed
from tripwire_admin_ui.presenters.system_state import SystemState

T = TypeVar("T")


class PageReader:
    """A part that cannot be read is None, and why stands in `failures`; the rest of the page stays."""

    def __init__(self, api: ApiClient) -> None:
        self.person = person()
        self.token = self.person.token
        # The page after a form has its own: the form may have used up the other.
        self.budget = Budget() if request.method == "POST" else page_budget()
        self.failures: list[ApiFailure] = []
        # Sales sees nothing of the system, so nothing of it is asked.
        self._mode = self._metrics = None
        if self.person.is_admin:
            system = SystemApi(api)
            self._mode = self.ask(lambda: system.mode(self.token, self.budget))
            self._metrics = self.ask(lambda: system.metrics(self.token, self.budget))

    @cached_property
    def state(self) -> SystemState:
        """Waits for what was asked about the system; its failures are no part's."""
        failures: list[ApiFailure] = []
        mode = _result(self._mode, failures) if self._mode else None
        metrics = _result(self._metrics, failures) if self._metrics else None
        return SystemState(
            read_at=datetime.now(UTC),
            mode=mode,
            metrics=metrics,
            failures=tuple(failures),
        )

    def ask(self, call: Callable[[], T]) -> Pending[T]:
        """Begins it; what is asked for before anything is read goes on at the same time."""
        return Pending(call)

    def read(self, asked: Pending[T]) -> T | None:
        """Raises NotThere, NotAllowed and NotSignedIn: they concern the page as a whole."""
        return _result(asked, self.failures)

    def show(self, template: str, *, in_parts: bool = False, **context: object) -> str | tuple[str, int]:
        """As `live_page` does, also where the API was lost after the state was read; but where the page stands
        `in_parts`, of which each is there or not."""
        lost = next((failure for failure in self.failures if isinstance(failure, ApiUnreachable)), None)
        if lost is not None and not in_parts:
            if is_refresh():
                return not_renewed(lost)
            if not self.person.is_admin:
                raise lost
        failure = self.failures[0] if self.failures else None
        return live_page(template, self.state, failure=failure, failures=self.failures, **context)


def _result(asked: Pending[T], failures: list[ApiFailure]) -> T | None:
    try:
        return asked.result()
    except (NotThere, NotSignedIn, NotAllowed):
        raise
    except ApiFailure as failure:
        failures.append(failure)
        return None
