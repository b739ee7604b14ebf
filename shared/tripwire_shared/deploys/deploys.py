"""Deploys in PostgreSQL, written by deploy/deploy.sh through the API's image and shown by the console."""

from tripwire_shared.answers.answer import from_row
from tripwire_shared.answers.history import Deploy
from tripwire_shared.answers.vocabulary import DeployOutcome, EventType
from tripwire_shared.errors import NotFound
from tripwire_shared.events.event import Event
from tripwire_shared.events.health_log import HealthLog
from tripwire_shared.postgres.database import Database
from tripwire_shared.postgres.sql import load_queries


class Deploys:
    """Raises DatabaseUnavailable throughout."""

    def __init__(self, database: Database, health_log: HealthLog) -> None:
        self._database, self._health_log = database, health_log
        self._sql = load_queries(__file__)

    def begin(self, version: str, previous: str | None, started_by: str) -> int:
        """Notes that it began; the caller sees to it that there is one at a time. Gives its number."""
        with self._database.transaction() as connection:
            self._sql.abandon_unfinished(connection)
            return int(self._sql.begin(connection, version=version, previous=previous, started_by=started_by))

    def finish(self, number: int, outcome: DeployOutcome, reason: str | None) -> Deploy:
        """Notes its end, with a line in the health log. Raises NotFound where it has ended already."""
        with self._database.transaction() as connection:
            row = self._sql.finish(connection, id=number, outcome=outcome, reason=reason)
            if row is None:
                raise NotFound("There is no such deploy under way.")
            ended = from_row(Deploy, row)
            self._health_log.record_in(connection, _event(ended))
        return ended

    def latest(self, limit: int) -> list[Deploy]:
        """The newest first."""
        return self._database.read(
            lambda connection: [from_row(Deploy, row) for row in self._sql.latest(connection, limit=limit)]
        )

    def version_before(self, version: str) -> str | None:
        """The last version that went well and is not `version`."""
        found: str | None = self._database.read(
            lambda connection: self._sql.version_before(connection, version=version)
        )
        return found


def _event(ended: Deploy) -> Event:
    about = {
        "version": ended.version,
        "previous": ended.previous,
        "started_by": ended.started_by,
        "duration_seconds": None if ended.seconds is None else round(ended.seconds, 1),
        "reason": ended.reason,
    }
    about = {name: value for name, value in about.items() if value is not None}
    if ended.outcome is DeployOutcome.DONE:
        return Event(EventType.INFO, f"Version {ended.version} was deployed", about)
    what = "rolled back" if ended.outcome is DeployOutcome.ROLLED_BACK else "not finished"
    return Event(EventType.WARNING, f"The deploy of version {ended.version} was {what}", about)
