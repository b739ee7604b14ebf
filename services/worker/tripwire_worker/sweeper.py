"""The sweep process: sweep, late deliveries, housekeeping and /metrics. It needs PostgreSQL only."""

import signal
import threading

from tripwire_shared.logs import configure_logging
from tripwire_shared.resources import build_resources
from tripwire_shared.settings import load_settings
from tripwire_shared.timings import CHILD_PULSE, JOB_TIMEOUT
from tripwire_worker.housekeeping import Housekeeping
from tripwire_worker.meter import AttemptMeter, MetricsServer
from tripwire_worker.minute_report import MinuteReport
from tripwire_worker.pulse import Pulse
from tripwire_worker.sweep import Sweep

REQUIRED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")


def main(pulse: Pulse) -> None:
    settings = load_settings(REQUIRED)
    configure_logging("sweep", settings.log_level, settings.log_format)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    resources = build_resources(settings, service="sweep")
    meter = AttemptMeter()
    sweep = Sweep(
        resources.requests,
        resources.provisioning,
        resources.pace,
        meter,
        interval=settings.sweep_interval_seconds,
        threads=settings.worker_concurrency,
    )
    housekeeping = Housekeeping(resources.database, settings.health_log_retention_days)
    minute_report = MinuteReport(resources.database, resources.measured_minutes, resources.health_log)
    pulse.beat()
    resources.start()
    sweep.start()
    housekeeping.start()
    minute_report.start()
    MetricsServer(resources, meter.registry).start()
    while not stopped.wait(CHILD_PULSE):
        pulse.beat()
    minute_report.stop()
    housekeeping.stop()
    sweep.stop(JOB_TIMEOUT)
    resources.stop()
