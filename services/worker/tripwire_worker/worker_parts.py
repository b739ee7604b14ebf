"""What an RQ worker process works with, built after fork: the core alone. It delivers nothing and watches nothing."""

from tripwire_shared.core import Core, build_core
from tripwire_shared.settings import Settings
from tripwire_shared.timings import WORKER_STATEMENT_LIMIT

# One job at a time, in one thread. RQ's own threads speak to Redis.
CONNECTIONS = 1


def build_worker(settings: Settings) -> Core:
    return build_core(
        settings,
        application_name="tripwire-worker",
        pool_size=CONNECTIONS,
        statement_limit=WORKER_STATEMENT_LIMIT,
    )
