"""Whether this process has been asked to stop: who would wait for long is answered now."""

import threading

# A module's variable: gunicorn's worker has no other way to the application. Only ever set.
STOPPING = threading.Event()
