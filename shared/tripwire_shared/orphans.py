"""Dead processes that nobody else collects: in a container the first process is often none that does, or it is ours.

Each would stay as a zombie and take up one of the processes that the container may have.
"""

import ctypes
import os
import sys
from collections.abc import Collection

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt_orphans() -> None:
    """What our children leave behind becomes ours, instead of the first process' (Linux; elsewhere nothing is done)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def collect_orphans(own: Collection[int]) -> None:
    """Collects the dead that are not among `own`, whose end their starter asks for; never waits.

    Call it where nobody else waits for a child meanwhile. One of `own` that is dead hides those behind it until its
    starter has asked.
    """
    while True:
        try:
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # there is no child at all
            return
        if dead is None or dead.si_pid in own:
            return
        os.waitpid(dead.si_pid, os.WNOHANG)
