"""`python -m deploy.local`: the whole system on this machine, until Ctrl-C or SIGTERM."""

import os
import signal
import sys
from pathlib import Path


def main() -> int:
    """The exit status: 0 after a stop that was asked for, 1 with one line on standard error otherwise."""
    # Until our own handlers stand: a Ctrl-C in the first half second, while the imports run, leaves no stack trace.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from deploy.local.errors import CannotStart
    from deploy.local.output import Output
    from deploy.local.stopping import stop_requests
    from deploy.local.system import LocalSystem
    from tripwire_shared.settings import SettingsError

    try:
        LocalSystem(Path.cwd(), os.environ, Output(), stop_requests()).run()
    except (CannotStart, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
