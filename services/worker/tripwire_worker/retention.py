"""What goes after how long: for each thing that grows, the statement that removes a batch of what is over."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tripwire_shared.postgres.database import Connection
from tripwire_shared.search_text import search_text
from tripwire_shared.timings import (
    ACTIVITY_ADDRESSES_KEPT,
    ACTIVITY_KEPT,
    ALERTS_KEPT,
    DEPLOYS_KEPT,
    ENDED_SESSIONS_KEPT,
    ENDED_TOKENS_KEPT,
    INCIDENTS_KEPT,
    LOGIN_WINDOW,
    MEASURED_MINUTES_KEPT,
    REQUEST_DETAILS_KEPT,
    SWITCHES_KEPT,
)

# Rows that one statement looks at: tens of milliseconds, far below STATEMENT_TIMEOUT_MS also on a slow disk.
BATCH = 2_000


@dataclass(frozen=True)
class Batch:
    """How many rows one statement changed, and whether more are to be looked at."""

    changed: int
    more: bool


class Removal:
    """A statement that removes up to BATCH rows and counts them."""

    def __init__(self, name: str, statement: Callable[..., int], **kept: float) -> None:
        self.name, self._statement, self._kept = name, statement, kept

    def begin(self) -> None:
        """Each batch finds the oldest rows by itself."""

    def batch(self, connection: Connection) -> Batch:
        changed = self._statement(connection, batch=BATCH, **self._kept)
        return Batch(changed, changed >= BATCH)


class HealthEvents:
    """The function in the database, which others may call too: it ends by time, and is asked until nothing is left."""

    name = "health events"

    def __init__(self, statement: Callable[..., int]) -> None:
        self._statement = statement

    def begin(self) -> None:
        """It keeps no place."""

    def batch(self, connection: Connection) -> Batch:
        changed = self._statement(connection)
        return Batch(changed, changed > 0)


@dataclass
class Walk:
    """A statement that looks at BATCH rows behind a place, of which some stay. `from_the_start`: what stayed may be
    over at the next run; else this process never comes back to it."""

    name: str
    statement: Callable[..., Any]
    kept: dict[str, float]
    from_the_start: bool
    _place: int = field(default=0, init=False)

    def begin(self) -> None:
        if self.from_the_start:
            self._place = 0

    def batch(self, connection: Connection) -> Batch:
        row = self.statement(connection, after=self._place, batch=BATCH, **self.kept)
        self._place = row.last
        return Batch(row.changed, row.more)


class Folding:
    """Gives rows that have none the text in which a search looks: `unfolded` finds and holds them, `note` writes it."""

    def __init__(self, name: str, unfolded: Callable[..., Any], note: Callable[..., Any]) -> None:
        self.name, self._unfolded, self._note = name, unfolded, note

    def begin(self) -> None:
        """Each batch finds the newest rows by itself."""

    def batch(self, connection: Connection) -> Batch:
        rows = list(self._unfolded(connection, batch=BATCH))
        if rows:
            texts = [search_text(row.full_name, row.email) for row in rows]
            self._note(connection, ids=[row.id for row in rows], texts=texts)
        return Batch(len(rows), len(rows) >= BATCH)


Retention = Removal | HealthEvents | Walk | Folding


def retentions(sql: Any) -> list[Retention]:
    """`sql` has the statements of `housekeeping.sql`."""
    return [
        Folding("requests folded", sql.requests_to_fold, sql.note_folded_requests),
        Folding("customers folded", sql.customers_to_fold, sql.note_folded_customers),
        HealthEvents(sql.health_events),
        Removal("tokens", sql.ended_tokens, sessions_kept=ENDED_SESSIONS_KEPT, tokens_kept=ENDED_TOKENS_KEPT),
        Removal("alerts", sql.alerts, kept=ALERTS_KEPT),
        Walk("mails", sql.mails, {"kept": REQUEST_DETAILS_KEPT}, from_the_start=True),
        Removal("duplicates", sql.steps_of_duplicates, kept=REQUEST_DETAILS_KEPT),
        Removal("activity", sql.activity, kept=ACTIVITY_KEPT),
        Walk("addresses", sql.activity_addresses, {"kept": ACTIVITY_ADDRESSES_KEPT}, from_the_start=False),
        Removal("incidents", sql.incidents, kept=INCIDENTS_KEPT),
        Removal("switches", sql.switches, kept=SWITCHES_KEPT),
        Removal("deploys", sql.deploys, kept=DEPLOYS_KEPT),
        Removal("measured minutes", sql.measured_minutes, kept=MEASURED_MINUTES_KEPT),
        Removal("login failures", sql.login_failures, kept=LOGIN_WINDOW),
        Removal("receipts", sql.dead_receipts),
    ]
