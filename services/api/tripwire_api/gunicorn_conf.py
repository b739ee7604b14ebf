"""gunicorn's settings for the API: processes and threads from our own settings, nothing else that listens."""

import os
import shutil
import sys
import tempfile
from typing import Any

from tripwire_shared.settings import SettingsError, host_and_port, load_settings

try:
    _settings = load_settings(("DATABASE_URL", "REDIS_URL", "SECRET_KEY"))
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(1)

# A folder of this run alone for the processes' figures, before anything imports prometheus_client: that decides at its
# import whether figures are kept in files, and gunicorn's processes inherit what it decided.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="tripwire-metrics-")

bind = host_and_port(_settings.api_host, _settings.api_port)
workers = _settings.web_concurrency
worker_class = "tripwire_api.gunicorn_worker.ApiWorker"  # gthread that drains
threads = _settings.web_threads
# Long enough for `Prefer: wait=30`; a process that is silent for longer is stuck and is replaced.
timeout = 45
graceful_timeout = 35
keepalive = 30
control_socket_disable = True
accesslog = None
loglevel = "warning"
proc_name = "tripwire-api"


def on_exit(_: Any) -> None:
    shutil.rmtree(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""), ignore_errors=True)


def child_exit(_: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
