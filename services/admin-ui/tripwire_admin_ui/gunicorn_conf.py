"""How gunicorn serves the admin UI (`gunicorn -c python:tripwire_admin_ui.gunicorn_conf …`)."""

from tripwire_shared.serving.cooperative import make_cooperative

make_cooperative()  # before anything else is imported

from typing import Any

from tripwire_shared import timings
from tripwire_shared.metrics.metrics_folder import make_metrics_folder, merge_dead, remove_metrics_folder
from tripwire_shared.serving.connections import allow_connections
from tripwire_shared.serving.gunicorn_log import GunicornLog, configure_server_logging
from tripwire_shared.settings import SettingsError, host_and_port, load_settings

try:
    _settings = load_settings(required=("SECRET_KEY",))
except SettingsError as error:
    raise SystemExit(str(error)) from None

configure_server_logging("admin-ui", _settings)
# Here and not in a hook: gunicorn's processes inherit what prometheus_client decided when it was first imported.
_metrics_folder = make_metrics_folder()

bind = host_and_port(_settings.admin_ui_host, _settings.admin_ui_port)
worker_class = "tripwire_shared.serving.worker.CooperativeWorker"
worker_connections = allow_connections()
# Pages for a few people: a second process is there so that a deploy or a crash leaves one answering.
workers = min(2, _settings.web_concurrency)
threads = _settings.web_threads  # the places in the application, see serving/places.py
keepalive = timings.CONNECTION_IDLE_LIMIT
graceful_timeout = timings.UI_GRACEFUL_TIMEOUT
# Its folder lies under HOME, which is read-only in the image; nobody uses it.
control_socket_disable = True
logger_class = GunicornLog
# Of headers that gunicorn itself would believe (SCRIPT_NAME, PATH_INFO) none, and X-Forwarded-Proto from our proxies.
forwarder_headers = ""
forwarded_allow_ips = ",".join(str(network) for network in _settings.trusted_proxies)
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
header_map = "drop"
loglevel = _settings.log_level


def on_exit(_: Any) -> None:
    remove_metrics_folder(_metrics_folder)


def child_exit(_: Any, worker: Any) -> None:
    merge_dead(worker.pid)
