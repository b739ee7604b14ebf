"""The causes of incidents: what is said when one opens and when it is over, and who hears of it. Pure."""

from dataclasses import dataclass

from tripwire_shared.answers.vocabulary import EventType
from tripwire_shared.timings import INCIDENT_QUIET, REQUESTS_FAILING_QUIET


@dataclass(frozen=True)
class Cause:
    """`name` stands in `incidents.cause`. A CRITICAL opening goes to Telegram, and then its end does too.

    It is over when no process has seen a failure for `quiet` seconds.
    """

    name: str
    opening: EventType
    opened: str
    resolved: str
    quiet: float = INCIDENT_QUIET

    @property
    def alerts(self) -> bool:
        return self.opening is EventType.CRITICAL


QUEUE = Cause(
    "queue unavailable",
    EventType.CRITICAL,
    "Redis queue failed! Auto-fallback to sync mode",
    "Redis queue is back",
)
DATABASE = Cause(
    "database unavailable",
    EventType.CRITICAL,
    "PostgreSQL cannot be reached or takes no writes: nothing new is accepted",
    "PostgreSQL is back",
)
WORKER = Cause(
    "worker absent",
    EventType.CRITICAL,
    "No worker takes up work: accepted requests wait",
    "Work goes on again",
)
# Each request that fails is a CRITICAL event of its own; the incident adds the end, with the number.
REQUESTS = Cause(
    "requests failing",
    EventType.CRITICAL,
    "A request used up its attempts and failed",
    "No request fails any more",
    quiet=REQUESTS_FAILING_QUIET,
)
MAIL = Cause(
    "mail failing",
    EventType.WARNING,
    "Welcome mails cannot be delivered; they wait",
    "Welcome mails are delivered again",
)
ALERTS = Cause(
    "alerts undeliverable",
    EventType.WARNING,
    "Telegram does not take alerts; they wait",
    "Telegram takes alerts again",
)

# The gravest first: where one place shows a single incident, it is this one.
CAUSES = {cause.name: cause for cause in (DATABASE, QUEUE, WORKER, REQUESTS, MAIL, ALERTS)}
