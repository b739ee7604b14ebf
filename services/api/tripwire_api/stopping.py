"""Whether this process has been asked to stop: who would wait for long is answered now."""

import threading

# A module's variable: gunicorn's signal handler has no other way to the application. Only ever set, by one thread.
STOPPING = threading.Event()
