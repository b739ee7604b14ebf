"""Everything the sweep process works with, built in one place. It alone of its host alerts past PostgreSQL."""

from dataclasses import dataclass

from tripwire_shared.alerts.direct_alerts import DirectAlerts
from tripwire_shared.alerts.telegram import Telegram
from tripwire_shared.alerts.telegram_chat import TelegramChatStore
from tripwire_shared.core import Core, build_core
from tripwire_shared.delivery import Delivery, build_delivery
from tripwire_shared.incidents.watch import Watch
from tripwire_shared.metrics.measured_minutes import MeasuredMinutes
from tripwire_shared.postgres.wakeups import Wakeups
from tripwire_shared.queue.queue_sight import PingSight
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.queue.request_queue import RequestQueue
from tripwire_shared.settings import Settings
from tripwire_shared.timings import (
    BACKGROUND_STOP_TIMEOUT,
    WATCH_INTERVAL,
    WATCH_REDIS_TIMEOUT,
    WORKER_STATEMENT_LIMIT,
)
from tripwire_worker.housekeeping import Housekeeping
from tripwire_worker.minute_report import MinuteReport

# Threads that ask PostgreSQL beside the sets that are worked on at once (WORKER_CONCURRENCY): the sweep's own look, the
# writer's two, the watch, two deliverers, housekeeping, the minute's report, and scrapes of /metrics, which take turns.
# The listener has a connection of its own beside the pool.
BACKGROUND_CONNECTIONS = 9
# The watch asks Redis, one question at a time; so does the scrape, with a client of its own.
REDIS_CONNECTIONS = 1


@dataclass(frozen=True)
class SweepParts:
    """`start()` begins the background threads, `stop()` ends them and closes the pool."""

    core: Core
    wakeups: Wakeups
    delivery: Delivery
    request_queue: RequestQueue
    watch: Watch
    housekeeping: Housekeeping
    measured_minutes: MeasuredMinutes
    minute_report: MinuteReport

    def start(self) -> None:
        self.core.writer.start()
        self.delivery.start()
        self.wakeups.start()
        self.watch.start()
        self.housekeeping.start()
        self.minute_report.start()

    def stop(self) -> None:
        self.minute_report.stop()
        self.housekeeping.stop()
        self.watch.stop(BACKGROUND_STOP_TIMEOUT)
        self.wakeups.stop(BACKGROUND_STOP_TIMEOUT)
        self.delivery.stop(BACKGROUND_STOP_TIMEOUT)
        self.core.writer.stop(BACKGROUND_STOP_TIMEOUT)
        self.core.tracer.stop()
        self.core.database.close()


def build_sweep(settings: Settings) -> SweepParts:
    telegram = Telegram(settings)
    redis = build_fail_fast_redis(settings.queue_url, REDIS_CONNECTIONS, timeout=WATCH_REDIS_TIMEOUT)
    direct = DirectAlerts(redis, telegram.send)
    core = build_core(
        settings,
        application_name="tripwire-sweep",
        pool_size=settings.worker_concurrency + BACKGROUND_CONNECTIONS,
        statement_limit=WORKER_STATEMENT_LIMIT,
        send_directly=direct.send,
    )
    telegram.chat.on_moved = TelegramChatStore(core.database, core.health_log, core.writer).note_soon
    watch = Watch(
        core.database,
        core.incidents,
        PingSight(redis),
        direct,
        head_start=settings.sweep_after_seconds,
        interval=WATCH_INTERVAL,
        on_chat=telegram.chat.learn,
    )
    core.database.on_refused = watch.refused
    wakeups = Wakeups(settings.listen_url, "tripwire-sweep-listener")
    measured_minutes = MeasuredMinutes(core.database)
    return SweepParts(
        core=core,
        wakeups=wakeups,
        delivery=build_delivery(core, telegram, wakeups),
        request_queue=RequestQueue(build_fail_fast_redis(settings.queue_url, REDIS_CONNECTIONS)),
        watch=watch,
        housekeeping=Housekeeping(core.database, settings.health_log_retention_days),
        measured_minutes=measured_minutes,
        minute_report=MinuteReport(core.database, measured_minutes, core.health_log),
    )
