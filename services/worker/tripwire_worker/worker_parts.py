"""What an RQ worker process works with, built after fork: the core alone. It delivers nothing and watches nothing."""

from tripwire_shared.core import Core, build_core
from tripwire_shared.settings import Settings
from tripwire_shared.timings import WORKER_STATEMENT_LIMIT

# Beside the sets that are worked on at once: the main loop, which waits for slots, and the writer's two threads, which
# note what an outage kept from being noted.
BACKGROUND_CONNECTIONS = 3


def build_worker(settings: Settings) -> Core:
    return build_core(
        settings,
        application_name="tripwire-worker",
        pool_size=settings.worker_concurrency + BACKGROUND_CONNECTIONS,
        statement_limit=WORKER_STATEMENT_LIMIT,
    )
