"""What the commands of a deploy work with: a database connection or two, and nothing that runs in the background."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.deploys.deploys import Deploys
from tripwire_shared.events.health_log import HealthLog
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.passwords import PasswordHasher
from tripwire_shared.postgres.database import Database
from tripwire_shared.settings import Settings, SettingsError, load_settings
from tripwire_shared.staff.staff_store import StaffStore
from tripwire_shared.staff.tokens import Tokens
from tripwire_shared.timings import API_STATEMENT_LIMIT

CONNECTIONS = 2


@dataclass(frozen=True)
class DeployParts:
    settings: Settings
    database: Database
    deploys: Deploys
    staff: StaffStore
    tokens: Tokens


@contextmanager
def deploy_parts() -> Iterator[DeployParts]:
    """Ends the process with one line where a setting is bad."""
    try:
        settings = load_settings(required=("DATABASE_URL",))
    except SettingsError as error:
        sys.exit(str(error))
    database = Database(
        settings.database_url, application_name="tripwire-deploy", pool_size=CONNECTIONS,
        statement_limit=API_STATEMENT_LIMIT,
    )  # fmt: skip
    activity, writer = ActivityLog(), BackgroundWriter()
    tokens = Tokens(database, activity, writer)
    health_log = HealthLog(database, Outbox(database), writer, lambda *_: False)
    try:
        yield DeployParts(
            settings, database, Deploys(database, health_log),
            StaffStore(database, PasswordHasher(), activity), tokens,
        )  # fmt: skip
    finally:
        database.close()
