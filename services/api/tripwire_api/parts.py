"""Everything an API process works with, built after fork and in one place."""

import contextlib
from dataclasses import dataclass

from tripwire_api.http.long_waits import LongWaits
from tripwire_shared.alerts.direct_alerts import DirectAlerts
from tripwire_shared.alerts.telegram import Telegram
from tripwire_shared.alerts.telegram_chat import TelegramChatStore
from tripwire_shared.core import Core, build_core
from tripwire_shared.customers.customer_changes import CustomerChanges
from tripwire_shared.customers.customer_list import CustomerList
from tripwire_shared.customers.erasure import Erasure
from tripwire_shared.delivery import Delivery, build_delivery
from tripwire_shared.errors import QueueUnavailable
from tripwire_shared.events.causes import QUEUE
from tripwire_shared.few_at_once import FewAtOnce
from tripwire_shared.incidents.incident_history import IncidentHistory
from tripwire_shared.incidents.watch import Watch
from tripwire_shared.intake.accept import Intake
from tripwire_shared.keys import Signer
from tripwire_shared.metrics.measured_minutes import MeasuredMinutes
from tripwire_shared.mode.follower import ModeFollower
from tripwire_shared.mode.mode_cache import ModeCache
from tripwire_shared.mode.mode_store import ModeStore
from tripwire_shared.postgres.wakeups import WakeUp, Wakeups
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.queue.queue_sight import BreakerSight
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.queue.request_queue import RequestQueue
from tripwire_shared.requests.request_list import RequestList
from tripwire_shared.runtime import THREADS, Runtime
from tripwire_shared.settings import Settings
from tripwire_shared.staff.sign_in import SignIn
from tripwire_shared.staff.staff_store import StaffStore
from tripwire_shared.staff.tokens import Tokens
from tripwire_shared.timings import (
    API_STATEMENT_LIMIT,
    BACKGROUND_STOP_TIMEOUT,
    MAIL_PATIENCE_IN_API,
    WATCH_INTERVAL_IN_API,
)

# Threads that ask beside those of the requests (WEB_THREADS, each one connection at a time).
# PostgreSQL: the listener's rereads (its own connection stands beside the pool), the writer's two threads, the watch,
# two deliverers, `Prefer: wait`.
BACKGROUND_CONNECTIONS = 7
# Of the requests inside at once (WEB_THREADS), so many at most sign in: half of them. And so many set a password: a
# quarter. So a quarter is left for those who do neither, however many come.
SIGN_IN_SHARE, HASHING_SHARE = 2, 4
# Redis: the breaker's probe and the watch.
BACKGROUND_REDIS_CONNECTIONS = 2


@dataclass(frozen=True)
class ApiParts:
    """`start()` begins the background threads, `stop()` ends them and closes the pool."""

    core: Core
    wakeups: Wakeups
    delivery: Delivery
    telegram: Telegram
    request_queue: RequestQueue
    breaker: Breaker
    watch: Watch
    mode_store: ModeStore
    mode_cache: ModeCache
    long_waits: LongWaits
    intake: Intake
    request_list: RequestList
    customers: CustomerList
    customer_changes: CustomerChanges
    erasure: Erasure
    staff: StaffStore
    sign_in: SignIn
    tokens: Tokens
    incident_history: IncidentHistory
    measured_minutes: MeasuredMinutes
    sign_ins: FewAtOnce
    hashing: FewAtOnce

    def start(self) -> None:
        self.core.writer.start()
        self.delivery.start()
        self.breaker.start()
        self.wakeups.start()
        self._look_at_queue()
        self.watch.start()

    def _look_at_queue(self) -> None:
        """An outage may have begun while nobody was there to see it. Takes two Redis time-outs at most."""
        with contextlib.suppress(QueueUnavailable):  # the breaker is open now, has told the incident, and looks on
            self.breaker.call(self.request_queue.ping)

    def stop(self) -> None:
        self.wakeups.stop(BACKGROUND_STOP_TIMEOUT)
        self.breaker.stop()
        self.watch.stop(BACKGROUND_STOP_TIMEOUT)
        self.delivery.stop(BACKGROUND_STOP_TIMEOUT)
        self.core.writer.stop(BACKGROUND_STOP_TIMEOUT)
        self.core.tracer.stop()
        self.core.database.close()


def build_api(settings: Settings, runtime: Runtime = THREADS) -> ApiParts:
    """`runtime`: how this process waits and computes; nothing is started yet."""
    core = build_core(
        settings,
        application_name="tripwire-api",
        pool_size=settings.web_threads + BACKGROUND_CONNECTIONS,
        statement_limit=API_STATEMENT_LIMIT,
        runtime=runtime,
    )
    telegram = Telegram(settings)
    telegram.chat.on_moved = TelegramChatStore(core.database, core.health_log, core.writer).note_soon
    redis = build_fail_fast_redis(settings.queue_url, settings.web_threads + BACKGROUND_REDIS_CONNECTIONS)
    queue = RequestQueue(redis)
    breaker = Breaker(queue.ping, on_open=lambda reason: core.incidents.failed_soon(QUEUE, reason))
    mode_store = ModeStore(core.database, core.health_log, core.activity)
    mode_cache = ModeCache(mode_store.read, settings.config_cache_ttl_seconds)
    tokens = Tokens(core.database, core.activity, core.writer)
    measured_minutes = MeasuredMinutes(core.database)
    wakeups = Wakeups(settings.listen_url, "tripwire-api-listener")
    request_list = RequestList(core.database, core.requests, settings.job_max_attempts)
    # Who waits was let in here: whose address it is does not matter.
    long_waits = LongWaits(request_list.finished_among, lambda token: tokens.authenticate(token, lambda: ""))
    delivery = build_delivery(core, telegram, wakeups, mail_patience=MAIL_PATIENCE_IN_API)
    watch = Watch(
        core.database,
        core.incidents,
        BreakerSight(breaker, queue.ping),
        DirectAlerts(redis, send=None),
        head_start=settings.sweep_after_seconds,
        interval=WATCH_INTERVAL_IN_API,
        on_chat=telegram.chat.learn,
    )
    core.database.on_refused = watch.refused
    wakeups.listen(WakeUp.FINISHED, long_waits.told)
    # The last one, since it asks the database, which the others need not wait for.
    wakeups.listen(WakeUp.MODE, ModeFollower(mode_store, mode_cache, "api").told)
    wakeups.on_lost(watch.look_now)
    breaker.listen(lambda _: watch.look_now())
    hashing = FewAtOnce(settings.web_threads // HASHING_SHARE)
    return ApiParts(
        core=core,
        wakeups=wakeups,
        delivery=delivery,
        telegram=telegram,
        request_queue=queue,
        breaker=breaker,
        watch=watch,
        mode_store=mode_store,
        mode_cache=mode_cache,
        long_waits=long_waits,
        intake=Intake(
            core.requests,
            mode_cache,
            breaker,
            queue,
            core.provisioning,
            core.sealer,
            Signer(settings.secret_keys, "request fingerprints"),
            core.writer,
            hashing,
            core.tracer,
        ),
        request_list=request_list,
        customers=CustomerList(core.database),
        customer_changes=CustomerChanges(core.database, core.activity, core.invitations, core.outbox),
        erasure=Erasure(core.database, core.identity, core.invitations, core.outbox, core.activity),
        staff=StaffStore(core.database, core.hasher, core.activity),
        sign_in=SignIn(core.database, core.hasher, tokens),
        tokens=tokens,
        incident_history=IncidentHistory(core.database, measured_minutes),
        measured_minutes=measured_minutes,
        sign_ins=FewAtOnce(settings.web_threads // SIGN_IN_SHARE),
        hashing=hashing,
    )
