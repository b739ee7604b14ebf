"""Incidents as history: the list, what was down when, for how long. Only reads; `incident.py` opens and resolves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.history import Incident, Outage
from tripwire_shared.metrics.measured_minutes import MeasuredMinutes
from tripwire_shared.postgres.database import Connection, Database
from tripwire_shared.postgres.sql import load_queries

# Which part of the system is down while there is an incident of a cause. Failing requests are no part's outage.
QUEUE = "queue unavailable"
PARTS = {
    "redis": QUEUE,
    "postgresql": "database unavailable",
    "workers": "worker absent",
    "telegram": "alerts undeliverable",
    "mail": "mail failing",
}


# As `before`: all of the others, where none fitted beside those that are open.
FROM_THE_NEWEST = 2**63 - 1


@dataclass(frozen=True)
class PartAvailability:
    """`words`: `up`, `down` (all the time), `partly` or `unknown` (nobody measured) for each bucket, oldest first, from
    `since` on."""

    part: str
    since: datetime
    words: list[str]
    down_seconds: float
    outages: int


class IncidentHistory:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, minutes: MeasuredMinutes) -> None:
        self._database, self._minutes = database, minutes
        self._sql = load_queries(__file__)

    def page(self, limit: int, before: int | None = None) -> tuple[list[Incident], int | None]:
        """Those that are open, all of them, then the newest of the others, together at most `limit` unless more are
        open; and the `before` with which the others go on, None at their end. So one that is resolved between two
        pages is missing on neither."""
        rows = self._database.read(
            lambda connection: list(
                self._sql.page(connection, limit=limit, before=before, only=None, served_cause=QUEUE)
            )
        )  # fmt: skip
        found = [from_row(Incident, row) for row in rows]
        open_ones = [incident for incident in found if incident.ended_at is None]
        others = found[len(open_ones) :]
        shown = others[: max(0, limit - len(open_ones))]
        if len(others) == len(shown):
            return [*open_ones, *shown], None
        return [*open_ones, *shown], shown[-1].id if shown else FROM_THE_NEWEST

    def last_resolved(self) -> Incident | None:
        """The one that ended last."""

        def query(connection: Connection) -> Any:
            last: int | None = self._sql.last_resolved(connection)
            if last is None:
                return None
            [row] = self._sql.page(connection, limit=1, before=None, only=last, served_cause=QUEUE)
            return row

        row = self._database.read(query)
        return None if row is None else from_row(Incident, row)

    def outages_since(self, since: datetime) -> list[Outage]:
        """Whatever was open after `since`, oldest first."""
        rows = self._database.read(lambda connection: list(self._sql.outages(connection, since=since)))
        return [from_row(Outage, row) for row in rows]

    def availability(self, bucket_seconds: int, buckets: int) -> list[PartAvailability]:
        """Each part, in buckets that end with the one we are in. An outage is known although nobody measured then."""
        rows = self._database.read(
            lambda connection: list(
                self._sql.availability(
                    connection, bucket=bucket_seconds, buckets=buckets, parts=list(PARTS), causes=list(PARTS.values())
                )
            )
        )
        since: datetime = rows[0].since
        starts = [since + place * timedelta(seconds=bucket_seconds) for place in range(buckets)]
        measured = self._minutes.buckets(since, bucket_seconds)
        return [
            PartAvailability(
                row.part,
                since,
                [
                    "unknown" if word == "up" and start not in measured else word
                    for start, word in zip(starts, row.words, strict=True)
                ],
                round(row.down_seconds, 3),
                row.outages,
            )
            for row in rows
        ]
