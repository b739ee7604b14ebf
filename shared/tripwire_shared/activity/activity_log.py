"""The activity log: who did what, when and from where. The one place that writes it; customers are named by id only."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from uuid import UUID

from tripwire_shared.activity.activity import Action
from tripwire_shared.postgres.database import Connection
from tripwire_shared.postgres.sql import load_queries

# The address of whoever asks, set by the service that serves them. Nobody asks in a worker: there it is None.
_address: ContextVar[Callable[[], str] | None] = ContextVar("client_address", default=None)


def acting_from(address: Callable[[], str]) -> None:
    """Whatever this thread writes into the log from now on was asked for from `address()`."""
    _address.set(address)


def current_address() -> str | None:
    """From where this thread's writes were asked for; None where nobody asked."""
    address = _address.get()
    return None if address is None else address()


class ActivityLog:
    """Writes inside the caller's transaction, so that what is in the log has happened and what happened is in it."""

    def __init__(self) -> None:
        self._sql = load_queries(__file__)

    def write(
        self,
        connection: Connection,
        action: Action,
        staff_id: UUID | None,
        *,
        user_id: UUID | None = None,
        request_id: UUID | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        self._sql.write_activity(
            connection, action=action, staff_id=staff_id, user_id=user_id, request_id=request_id,
            detail=dict(detail or {}), address=current_address(),
        )  # fmt: skip

    def write_for_requests(
        self, connection: Connection, action: Action, staff_id: UUID, request_ids: list[UUID]
    ) -> None:
        """The same for each of many requests, in one statement."""
        self._sql.write_for_requests(
            connection, action=action, staff_id=staff_id, request_ids=request_ids, address=current_address()
        )
