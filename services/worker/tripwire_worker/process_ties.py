"""Ties a child process to its parent: a parent killed with -9 leaves no child behind. And gives it a name for `ps`."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_NAME = 15


def end_with_parent(parent: int, death_signal: signal.Signals) -> None:
    """Has the kernel send `death_signal` to this process when `parent` dies (Linux; elsewhere nothing is done)."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != parent:  # it died before the tie was made
        sys.exit(1)


def name_process(name: str) -> None:
    """What `ps` and `top` show for this process (Linux; at most 15 characters)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NAME, name.encode())
