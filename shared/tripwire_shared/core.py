"""What every process that provisions works with. Each process' root, beside its `main`, builds this first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.alarm_clock import AlarmClock
from tripwire_shared.answers.vocabulary import Language
from tripwire_shared.events.event import Event
from tripwire_shared.events.health_log import HealthLog
from tripwire_shared.incidents.incidents import Incidents
from tripwire_shared.keys import Sealer, Signer
from tripwire_shared.languages.catalogue import Academy
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.passwords import PasswordHasher
from tripwire_shared.postgres.database import Database
from tripwire_shared.provisioning.customer_store import CustomerStore
from tripwire_shared.provisioning.identity import IdentityProvider, build_identity
from tripwire_shared.provisioning.invitation import Invitations
from tripwire_shared.provisioning.pace import Pace
from tripwire_shared.provisioning.preparation import Preparation
from tripwire_shared.provisioning.provision import Provisioning
from tripwire_shared.requests.attempt_rules import AttemptRules
from tripwire_shared.requests.claims import ClaimStore
from tripwire_shared.requests.request_store import RequestStore
from tripwire_shared.runtime import THREADS, Runtime
from tripwire_shared.settings import Settings
from tripwire_shared.tracing import Tracer, build_tracer


@dataclass(frozen=True)
class Core:
    """`own_mail`: rung after a commit of this process that put a mail in and told nobody else."""

    settings: Settings
    academy: Academy
    database: Database
    activity: ActivityLog
    hasher: PasswordHasher
    sealer: Sealer
    outbox: Outbox
    own_mail: AlarmClock
    writer: BackgroundWriter
    health_log: HealthLog
    incidents: Incidents
    invitations: Invitations
    requests: RequestStore
    claims: ClaimStore
    identity: IdentityProvider
    pace: Pace
    provisioning: Provisioning
    tracer: Tracer


def build_core(
    settings: Settings,
    *,
    application_name: str,
    pool_size: int,
    statement_limit: float,
    send_directly: Callable[[Event, datetime], bool] | None = None,
    runtime: Runtime = THREADS,
) -> Core:
    """Builds it, after fork; nothing is started yet.

    `pool_size`: one connection for each thread that asks PostgreSQL. `statement_limit`: seconds, for the whole process.
    `send_directly` alerts past PostgreSQL; None where this process is not the one of its host that does. `runtime`: how
    this process waits and computes.
    """
    database = Database(
        settings.database_url, application_name=application_name, pool_size=pool_size, statement_limit=statement_limit,
        server_wait=runtime.wait,
    )  # fmt: skip
    tracer = build_tracer(settings, application_name)
    activity, hasher, writer = ActivityLog(), PasswordHasher(runtime.compute), BackgroundWriter()
    outbox = Outbox(database)
    sealer = Sealer(settings.secret_keys, "waiting passwords")
    own_mail = AlarmClock()
    health_log = HealthLog(database, outbox, writer, send_directly or _stays_stored)
    incidents = Incidents(database, outbox, health_log, writer, alerts_directly=send_directly is not None)
    customers = CustomerStore(database)
    invitations = Invitations(
        database, customers, hasher, Signer(settings.secret_keys, "invitation links"), settings.link_prefix
    )
    rules = AttemptRules(settings.job_max_attempts, settings.job_backoff_seconds, settings.sweep_after_seconds)
    requests = RequestStore(database, rules, activity)
    identity = build_identity(settings)
    pace = Pace(database, settings.worker_rate_limit)
    claims = ClaimStore(database, rules, incidents.request_failed)
    provisioning = Provisioning(
        claims, customers, Preparation(identity, hasher, sealer), writer, tracer, on_provisioned=own_mail.ring
    )
    return Core(
        settings=settings,
        academy=Academy(
            settings.academy_name,
            settings.course_name,
            settings.login_url,
            settings.support_contact,
            Language(settings.default_language),
        ),
        database=database,
        activity=activity,
        hasher=hasher,
        sealer=sealer,
        outbox=outbox,
        own_mail=own_mail,
        writer=writer,
        health_log=health_log,
        incidents=incidents,
        invitations=invitations,
        requests=requests,
        claims=claims,
        identity=identity,
        pace=pace,
        provisioning=provisioning,
        tracer=tracer,
    )


def _stays_stored(_: Event, __: datetime) -> bool:
    """Not past PostgreSQL: the sweep process does that for the whole host."""
    return False
