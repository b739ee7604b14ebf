"""gunicorn's settings for the API: processes and places from our own settings, nothing else that listens."""

from tripwire_shared.serving.cooperative import make_cooperative

make_cooperative()  # before anything else is imported

import gc
import sys
from importlib import import_module
from typing import Any

from tripwire_shared.metrics.metrics_folder import make_metrics_folder, merge_dead, remove_metrics_folder
from tripwire_shared.serving.connections import allow_connections
from tripwire_shared.serving.gunicorn_log import GunicornLog, configure_server_logging
from tripwire_shared.settings import SettingsError, host_and_port, load_settings
from tripwire_shared.timings import CONNECTION_IDLE_LIMIT

try:
    _settings = load_settings(("DATABASE_URL", "REDIS_URL", "SECRET_KEY"))
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(1)

configure_server_logging("api", _settings)
worker_connections = allow_connections()
# Here and not in a hook: gunicorn's processes inherit what prometheus_client decided when it was first imported.
_metrics_folder = make_metrics_folder()

# Other people's code is imported once, before the processes are forked. At a reload (HUP) the old ones stop accepting
# when the new ones are begun, not when they are ready: who connects meanwhile waits for these imports. Ours is imported
# by each process anew, so that a reload runs what is there now.
for _module in ("aiosql", "argon2", "cryptography.fernet", "flask_smorest", "psycopg2.extras", "requests", "rq",
                "sqlalchemy.pool"):  # fmt: skip
    import_module(_module)
# What is here by now stays: a collection in a process would write to it, and so copy it (158 MiB for three became 124).
gc.collect()
gc.freeze()

bind = host_and_port(_settings.api_host, _settings.api_port)
workers = _settings.web_concurrency
worker_class = "tripwire_api.serving.gunicorn_worker.ApiWorker"
threads = _settings.web_threads  # the places in the application, see serving/places.py
# Long enough for `Prefer: wait=30`; a process that is silent for longer is stuck and is replaced.
timeout = 45
graceful_timeout = 35
keepalive = CONNECTION_IDLE_LIMIT
control_socket_disable = True
logger_class = GunicornLog
accesslog = None
loglevel = "warning"
# gunicorn itself believes nobody's headers (SCRIPT_NAME, PATH_INFO, X-Forwarded-Proto), by default it believes those of
# this machine, where a proxy hands on what strangers sent. X-Forwarded-For is read by us, from TRUSTED_PROXIES alone.
forwarder_headers = ""
forwarded_allow_ips = ""
header_map = "drop"
proc_name = "tripwire-api"


def on_exit(_: Any) -> None:
    remove_metrics_folder(_metrics_folder)


def child_exit(_: Any, worker: Any) -> None:
    merge_dead(worker.pid)
