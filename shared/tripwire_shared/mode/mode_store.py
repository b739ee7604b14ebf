"""The mode in PostgreSQL: read, switch, and the receipts of the processes that obey it."""

import os
import socket
from datetime import datetime
from typing import Any
from uuid import UUID

from tripwire_shared.activity.activity import Action
from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.history import PastSwitch
from tripwire_shared.answers.system import ApiProcess, Switched
from tripwire_shared.answers.vocabulary import EventType, Mode
from tripwire_shared.events.event import Event
from tripwire_shared.events.health_log import HealthLog
from tripwire_shared.mode.mode import ModeRecord, ModeVersionConflict
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries


class ModeStore:
    """The kill switch. Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, health_log: HealthLog, activity: ActivityLog) -> None:
        self._database, self._health_log, self._activity = database, health_log, activity
        self._queries = load_queries(__file__)

    def read(self) -> ModeRecord:
        return self._database.read(lambda connection: _record(self._queries.read_mode(connection)))

    def switch(
        self, mode: Mode, *, reason: str | None, changed_by: str, staff_id: UUID | None, expected_version: int | None
    ) -> Switched:
        """Writes the next version with its history, event, alert and notification in one transaction.

        The mode that is set already stays as it is, without a new version. Raises ModeVersionConflict where
        `expected_version` is given and stale.
        """
        with self._database.transaction() as connection:
            current = _record(self._queries.lock_mode(connection))
            if expected_version is not None and expected_version != current.version:
                raise ModeVersionConflict(current)
            if mode is current.mode:
                return Switched(success=True, mode=mode, previous_mode=current.mode, version=current.version)
            written = self._queries.write_mode(
                connection, mode=mode, previous_mode=current.mode, changed_by=changed_by, reason=reason
            )
            about = {"mode": mode, "previous_mode": current.mode, "version": written.version, "reason": reason}
            self._activity.write(connection, Action.MODE_SWITCHED, staff_id, detail=about)
            self._health_log.record_in(
                connection,
                Event(EventType.SWITCH, f"System mode changed to: {mode}", {**about, "changed_by": changed_by}),
            )
        return Switched(success=True, mode=mode, previous_mode=current.mode, version=written.version)

    def switches_since(self, since: datetime) -> list[PastSwitch]:
        """Oldest first."""
        rows = self._database.read(lambda connection: list(self._queries.switches_since(connection, since=since)))
        return [from_row(PastSwitch, row) for row in rows]

    def write_receipt(self, connection: Connection, *, service: str, version: int) -> None:
        """Says on the listener's own `connection` that this process obeys `version`."""
        self._queries.write_receipt(
            connection, service=service, host=socket.gethostname(), process_id=os.getpid(), version=version
        )

    def receipts(self) -> list[ApiProcess]:
        """The API processes alive now, and what each obeys."""
        rows = self._database.read(lambda connection: list(self._queries.live_receipts(connection)))
        return [from_row(ApiProcess, row) for row in rows]


def _record(row: Any) -> ModeRecord:
    return ModeRecord(Mode(row.value), row.version, row.changed_at, row.changed_by, row.reason)
