"""The sweep process: sweep, deliveries, watch, housekeeping and /metrics. It needs PostgreSQL only."""

import signal

from tripwire_shared.logs import configure_logging
from tripwire_shared.postgres.wakeups import WakeUp
from tripwire_shared.settings import NEEDED, load_settings
from tripwire_shared.timings import WORKER_DRAIN_LIMIT
from tripwire_worker.attempts import Attempts
from tripwire_worker.meter import AttemptMeter, MetricsServer
from tripwire_worker.pulse import Pulse
from tripwire_worker.sweep import Sweep
from tripwire_worker.sweep_parts import build_sweep


def main(pulse: Pulse) -> None:
    settings = load_settings(NEEDED)
    configure_logging("sweep", settings.log_level, settings.log_format)
    parts = build_sweep(settings)
    core, meter, attempts = parts.core, AttemptMeter(), Attempts(settings.worker_concurrency)
    sweep = Sweep(
        core.claims,
        core.provisioning,
        core.pace,
        attempts,
        meter,
        interval=settings.sweep_interval_seconds,
        beat=lambda: None if attempts.stuck else pulse.beat(),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sweep.stop())
    parts.wakeups.listen(WakeUp.DUE, sweep.told)
    parts.start()
    MetricsServer(meter.registry, core.database, parts.request_queue, settings).start()
    sweep.run()
    attempts.finish(WORKER_DRAIN_LIMIT)
    parts.stop()
