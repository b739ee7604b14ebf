"""The sweep process: sweep, late deliveries, housekeeping and /metrics. It needs PostgreSQL only."""

import signal
import threading

from tripwire_shared.logs import configure_logging
from tripwire_shared.settings import load_settings
from tripwire_shared.timings import CHILD_PULSE, JOB_TIMEOUT
from tripwire_worker.meter import AttemptMeter, MetricsServer
from tripwire_worker.pulse import Pulse
from tripwire_worker.sweep import Sweep
from tripwire_worker.sweep_parts import build_sweep

REQUIRED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")


def main(pulse: Pulse) -> None:
    settings = load_settings(REQUIRED)
    configure_logging("sweep", settings.log_level, settings.log_format)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    parts = build_sweep(settings)
    core, meter = parts.core, AttemptMeter()
    sweep = Sweep(
        core.requests,
        core.provisioning,
        core.pace,
        meter,
        interval=settings.sweep_interval_seconds,
        threads=settings.worker_concurrency,
    )
    pulse.beat()
    parts.start()
    sweep.start()
    MetricsServer(
        meter.registry, core.database, parts.request_queue, settings.worker_metrics_host, settings.worker_metrics_port
    ).start()
    while not stopped.wait(CHILD_PULSE):
        pulse.beat()
    sweep.stop(JOB_TIMEOUT)
    parts.stop()
