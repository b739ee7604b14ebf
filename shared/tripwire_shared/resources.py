"""Everything a process works with, built once, after fork, in one place; tests build the same with other settings."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis

from tripwire_shared.activity.activity_log import ActivityLog
from tripwire_shared.customers.customer_changes import CustomerChanges
from tripwire_shared.customers.customer_list import CustomerList
from tripwire_shared.customers.erasure import Erasure
from tripwire_shared.database import Database
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.health.alert import Alert
from tripwire_shared.health.background_writer import BackgroundWriter
from tripwire_shared.health.causes import ALERTS, QUEUE
from tripwire_shared.health.direct_alerts import DirectAlerts
from tripwire_shared.health.health_log import HealthLog
from tripwire_shared.health.incident import Incidents
from tripwire_shared.health.incident_history import IncidentHistory
from tripwire_shared.health.measured_minutes import MeasuredMinutes
from tripwire_shared.health.telegram import Telegram, alert_pause
from tripwire_shared.health.watch import Watch
from tripwire_shared.intake.accept import Intake
from tripwire_shared.keys import Sealer, Signer
from tripwire_shared.mail.mailer import build_mailer
from tripwire_shared.mail.welcome import WelcomeMail
from tripwire_shared.mode.listener import ModeListener
from tripwire_shared.mode.mode_cache import ModeCache
from tripwire_shared.mode.mode_store import ModeStore
from tripwire_shared.outbox.deliverer import Deliverer, Route
from tripwire_shared.outbox.outbox import Channel, Message, Outbox
from tripwire_shared.passwords import PasswordHasher
from tripwire_shared.provisioning.customer_store import CustomerStore
from tripwire_shared.provisioning.identity import build_identity
from tripwire_shared.provisioning.invitation import Invitations
from tripwire_shared.provisioning.pace import Pace
from tripwire_shared.provisioning.provision import Provisioning
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.queue.queue_sight import BreakerSight, PingSight
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.queue.request_queue import RequestQueue
from tripwire_shared.requests.request_list import RequestList
from tripwire_shared.requests.request_store import AttemptRules, RequestStore
from tripwire_shared.settings import Settings
from tripwire_shared.staff.staff_store import StaffStore
from tripwire_shared.staff.tokens import Tokens
from tripwire_shared.timings import (
    API_STATEMENT_LIMIT,
    MAIL_PATIENCE_IN_API,
    WATCH_REDIS_TIMEOUT,
    WORKER_STATEMENT_LIMIT,
)

# Beside the threads that answer requests: the listener's rereads, two deliverers, the health writer, the watch.
BACKGROUND_CONNECTIONS = 4
STOP_TIMEOUT = 5.0


@dataclass(frozen=True)
class Resources:
    """One for each process. `start()` begins the background threads, `stop()` ends them and closes the pool."""

    settings: Settings
    service: str
    database: Database
    hasher: PasswordHasher
    staff: StaffStore
    tokens: Tokens
    requests: RequestStore
    request_list: RequestList
    customers: CustomerList
    customer_changes: CustomerChanges
    erasure: Erasure
    pace: Pace
    outbox: Outbox
    telegram: Telegram
    health_log: HealthLog
    incidents: Incidents
    incident_history: IncidentHistory
    measured_minutes: MeasuredMinutes
    invitations: Invitations
    mode_store: ModeStore
    mode_cache: ModeCache
    mode_listener: ModeListener
    request_queue: RequestQueue
    breaker: Breaker
    provisioning: Provisioning
    intake: Intake
    mails: Deliverer
    alerts: Deliverer
    writer: BackgroundWriter
    watch: Watch

    def start(self) -> None:
        """Deliverers, health log and watch everywhere; listener and breaker where requests come in."""
        self.writer.start()
        self.mails.start()
        self.alerts.start()
        if self.service == "api":
            self.breaker.start()
            self.mode_listener.start()
            self._look_at_queue()
        self.watch.start()

    def _look_at_queue(self) -> None:
        """An outage may have begun while nobody was there to see it. Takes two Redis time-outs at most."""
        with contextlib.suppress(QueueUnavailable):  # the breaker is open now, has told the incident, and looks on
            self.breaker.call(self.request_queue.ping)

    def stop(self) -> None:
        self.mode_listener.stop()
        self.breaker.stop()
        self.watch.stop(STOP_TIMEOUT)
        for deliverer in (self.mails, self.alerts):
            deliverer.stop(STOP_TIMEOUT)
        self.writer.stop(STOP_TIMEOUT)
        self.database.close()


class _Late:
    """A callable that is known only after what needs it: health log and deliverers speak to each other."""

    def __init__(self) -> None:
        self.target: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.target()


def build_resources(settings: Settings, *, service: str) -> Resources:
    """Builds everything for one process of `service` ("api", "worker", "sweep"); nothing is started yet."""
    in_api = service == "api"
    threads = settings.web_threads if in_api else settings.worker_concurrency if service == "sweep" else 1
    database = Database(
        settings.database_url,
        application_name=f"tripwire-{service}",
        pool_size=threads + BACKGROUND_CONNECTIONS,
        statement_limit=API_STATEMENT_LIMIT if in_api else WORKER_STATEMENT_LIMIT,
    )
    hasher = PasswordHasher()
    activity, writer = ActivityLog(), BackgroundWriter()
    tokens = Tokens(database, activity, writer)
    sealer = Sealer(settings.secret_keys, "waiting passwords")
    outbox, telegram = Outbox(database), Telegram(settings)
    wake_mails, wake_alerts = _Late(), _Late()
    direct = _direct_alerts(settings, telegram) if service == "sweep" else None
    health_log = HealthLog(database, outbox, writer, wake_alerts, direct.send if direct else _stays_stored)
    incidents = Incidents(database, outbox, health_log, writer, alerts_directly=direct is not None)
    customers = CustomerStore(activity)
    invitations = Invitations(
        database, customers, hasher, Signer(settings.secret_keys, "invitation links"), settings.link_prefix
    )
    rules = AttemptRules(settings.job_max_attempts, settings.job_backoff_seconds, settings.sweep_after_seconds)
    requests = RequestStore(database, rules, activity)
    identity = build_identity(settings, customers)
    pace = Pace(database, settings.worker_rate_limit)
    provisioning = Provisioning(
        database, requests, customers, identity, invitations, outbox, health_log,
        wake_mails, hasher, sealer, pace, settings.idempotency_window_seconds,
    )  # fmt: skip
    queue = RequestQueue(build_fail_fast_redis(settings.queue_url, settings.web_threads + BACKGROUND_CONNECTIONS))
    breaker = Breaker(queue.ping, on_open=lambda reason: incidents.failed_soon(QUEUE, reason))
    sight = BreakerSight(breaker, queue.ping) if in_api else PingSight(_patient_redis(settings))
    measured_minutes = MeasuredMinutes(database)
    mode_store = ModeStore(database, health_log, activity)
    mode_cache = ModeCache(mode_store.read, settings.config_cache_ttl_seconds)
    mails, alerts = _deliverers(
        settings, database, outbox, invitations, health_log, incidents, telegram,
        mail_patience=MAIL_PATIENCE_IN_API if in_api else 0.0,
    )  # fmt: skip
    wake_mails.target, wake_alerts.target = mails.wake, alerts.wake
    return Resources(
        settings=settings,
        service=service,
        database=database,
        hasher=hasher,
        staff=StaffStore(database, hasher, tokens, activity),
        tokens=tokens,
        requests=requests,
        request_list=RequestList(database, requests),
        customers=CustomerList(database),
        customer_changes=CustomerChanges(database, activity, invitations, outbox, wake_mails),
        erasure=Erasure(database, identity, invitations, outbox, activity),
        pace=pace,
        outbox=outbox,
        telegram=telegram,
        health_log=health_log,
        incidents=incidents,
        incident_history=IncidentHistory(database, measured_minutes),
        measured_minutes=measured_minutes,
        invitations=invitations,
        mode_store=mode_store,
        mode_cache=mode_cache,
        mode_listener=ModeListener(settings.listen_url, mode_store, mode_cache, service),
        request_queue=queue,
        breaker=breaker,
        provisioning=provisioning,
        intake=Intake(
            requests,
            mode_cache,
            breaker,
            queue,
            provisioning,
            sealer,
            Signer(settings.secret_keys, "request fingerprints"),
            writer,
        ),
        mails=mails,
        alerts=alerts,
        writer=writer,
        watch=Watch(database, incidents, sight, direct, head_start=settings.sweep_after_seconds),
    )


def _deliverers(
    settings: Settings,
    database: Database,
    outbox: Outbox,
    invitations: Invitations,
    health_log: HealthLog,
    incidents: Incidents,
    telegram: Telegram,
    *,
    mail_patience: float,
) -> tuple[Deliverer, Deliverer]:
    welcome = WelcomeMail(database, invitations, build_mailer(settings.smtp_url), health_log, settings.mail_from)

    def telegram_failed(_: Message, reason: str) -> None:
        incidents.failed_soon(ALERTS, reason)

    mails = Route(Channel.MAIL, welcome.deliver, welcome.pause, welcome.on_failed, welcome.on_given_up)
    alerts = Route(Channel.ALERT, telegram.deliver, alert_pause, telegram_failed, telegram_failed)
    return Deliverer(outbox, mails, mail_patience), Deliverer(outbox, alerts)


def _patient_redis(settings: Settings) -> Redis:
    return build_fail_fast_redis(settings.queue_url, max_connections=2, timeout=WATCH_REDIS_TIMEOUT)


def _direct_alerts(settings: Settings, telegram: Telegram) -> DirectAlerts:
    return DirectAlerts(_patient_redis(settings), lambda text: telegram.configured and telegram.send(text).ok)


def _stays_stored(_: Alert) -> bool:
    """Not past PostgreSQL: the sweep process does that for the whole host."""
    return False
