"""gunicorn's settings for the yardstick: its threaded worker, two processes of eight threads. They stay as they are,
whatever serves the API, so that one day's ratio can be compared with another's."""

import os

bind = f"127.0.0.1:{os.environ['HELLO_PORT']}"
worker_class = "gthread"
workers, threads = 2, 8
keepalive = 30
control_socket_disable = True
accesslog = None
loglevel = "warning"
