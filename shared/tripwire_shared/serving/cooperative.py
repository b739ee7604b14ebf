"""Makes the standard library's waits cooperative: a greenlet that waits lets the others go on.

Call it before anything else is imported, in gunicorn's parent: modules that took a lock, a socket or an SSL context
from the standard library earlier would go on blocking everybody.
"""

from gevent import monkey


def make_cooperative() -> None:
    """Sockets, TLS, DNS (by threads of gevent's), locks, threads, `time.sleep` and `select` of this process.

    What gunicorn's parent lives by stays as it is: fork and wait, signals, and the queue it gets its signals from.
    `threading.Thread` then makes greenlets. What computes for long needs real threads: see `runtime.py` here.
    """
    monkey.patch_all(os=False, signal=False, subprocess=False, queue=False)
