"""The process of the RQ worker. It needs PostgreSQL, and Redis to be of use: it waits for both."""

import signal
import socket
import threading
from uuid import uuid4

from tripwire_shared.logs import configure_logging
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.settings import NEEDED, load_settings
from tripwire_shared.timings import BACKGROUND_STOP_TIMEOUT, WORKER_DRAIN_LIMIT, WORKER_REDIS_TIMEOUT
from tripwire_worker.attempts import Attempts
from tripwire_worker.meter import AttemptMeter
from tripwire_worker.pulse import Pulse
from tripwire_worker.request_worker import RequestWorker
from tripwire_worker.worker_parts import build_worker


def main(pulse: Pulse) -> None:
    settings = load_settings(NEEDED)
    configure_logging("worker", settings.log_level, settings.log_format)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    core = build_worker(settings)
    attempts = Attempts(settings.worker_concurrency)
    # The main loop's connection, and one for each set that says what became of its jobs.
    redis = build_fail_fast_redis(settings.queue_url, settings.worker_concurrency + 1, timeout=WORKER_REDIS_TIMEOUT)
    worker = RequestWorker(
        redis,
        f"{socket.gethostname()}-{uuid4().hex[:12]}",
        core.claims,
        core.provisioning,
        core.pace,
        attempts,
        AttemptMeter(),
        stopped=stopped,
        beat=lambda: None if attempts.stuck else pulse.beat(),
    )
    core.writer.start()
    worker.run()
    attempts.finish(WORKER_DRAIN_LIMIT)
    core.writer.stop(BACKGROUND_STOP_TIMEOUT)
    core.tracer.stop()
    core.database.close()
