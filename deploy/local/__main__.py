"""`python -m deploy.local`: the whole system on this machine, until Ctrl-C or SIGTERM."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path


def main() -> int:
    """The exit status: 0 after a stop that was asked for, 1 with one line on standard error otherwise."""
    # Until our own handlers stand: a Ctrl-C in the first half second, while the imports run, leaves no stack trace.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from deploy.local.errors import CannotStart
    from deploy.local.output import Output
    from deploy.local.system import LocalSystem
    from tripwire_shared.settings import SettingsError

    try:
        LocalSystem(Path.cwd(), os.environ, Output(), _stop_requests()).run()
    except (CannotStart, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _stop_requests() -> Callable[[], bool]:
    """Tells whether Ctrl-C, SIGTERM or a closed terminal asked for the end; under `make`, also whether make is gone."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup keeps its meaning
            signal.signal(number, lambda *_: asked.set())
    parent = os.getppid() if "MAKELEVEL" in os.environ else None
    return lambda: asked.is_set() or (parent is not None and os.getppid() != parent)


if __name__ == "__main__":
    sys.exit(main())
