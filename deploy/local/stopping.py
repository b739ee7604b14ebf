"""How a command of the terminal learns that it is to end."""

import os
import signal
import threading
from collections.abc import Callable


def stop_requests() -> Callable[[], bool]:
    """Tells whether Ctrl-C, SIGTERM or a closed terminal asked for the end; under `make`, also whether make is gone."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup keeps its meaning
            signal.signal(number, lambda *_: asked.set())
    parent = os.getppid() if "MAKELEVEL" in os.environ else None
    return lambda: asked.is_set() or (parent is not None and os.getppid() != parent)
