"""Ends the children of a supervisor that was killed: a process of its own that holds the other end of a pipe.

A parent-death signal is Linux' alone, and reaches no grandchildren. The supervisor tells each start and end; when the
pipe closes, the guard ends what is left, last started first.
"""

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

from deploy.local.child import Child, end_process
from tripwire_shared import timings


class Guard:
    """The supervisor's end of the pipe."""

    def __init__(self, root: Path, hold: int) -> None:
        """Starts the guard's process; `root` holds the package `deploy`, `hold` is a descriptor it keeps open.

        That is the data folder's lock: the next run waits until the guard has ended what the last one left.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.guard"],
            stdin=subprocess.PIPE,
            text=True,
            cwd=root,
            start_new_session=True,
            pass_fds=(hold,),
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def started(self, child: Child) -> None:
        self._say(f"+ {child.pid} {int(child.stop_signal)}")

    def ended(self, pid: int) -> None:
        self._say(f"- {pid}")

    def close(self) -> None:
        """Lets the guard go; call after the last child has ended."""
        with contextlib.suppress(OSError):
            self._process.communicate(timeout=timings.LOCAL_STOP_BUDGET)

    def _say(self, line: str) -> None:
        # A killed guard must not take the supervisor along.
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()


def main() -> None:
    """Reads starts and ends until the supervisor is gone, then ends what it left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    alive: dict[int, signal.Signals] = {}
    for line in sys.stdin:
        match line.split():
            case ["+", pid, number]:
                alive[int(pid)] = signal.Signals(int(number))
            case ["-", pid]:
                alive.pop(int(pid), None)
    for child, stop_signal in reversed(alive.items()):
        end_process(child, stop_signal, timings.LOCAL_ORPHAN_STOP)


if __name__ == "__main__":
    main()
