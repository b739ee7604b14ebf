"""`python -m tripwire_worker.alive`: the container's health check. 0 while the service's two children run, else 1.

It reads the process table and nothing else: a worker service is well also while Redis or PostgreSQL is away.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

# The worker service is the first process of its container.
SERVICE_PID = 1
CHILDREN = 2
# What multiprocessing's spawn puts into the command line of each child.
SPAWNED = b"--multiprocessing-fork"


def living_children(parent: int, processes: Path = Path("/proc")) -> int:
    """How many children that `parent` spawned run now."""
    return sum(
        parent_of == parent and state != "Z" and SPAWNED in command.split(b"\0")
        for parent_of, state, command in _processes(processes)
    )


def _processes(folder: Path) -> Iterator[tuple[int, str, bytes]]:
    """The parent, state and command line of each process."""
    for process in folder.iterdir():
        if not process.name.isdigit():
            continue
        try:
            # "pid (name) state parent …": a name may hold spaces and brackets, so read from its last bracket.
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
            yield int(parent), state, (process / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile


if __name__ == "__main__":
    sys.exit(0 if living_children(SERVICE_PID) >= CHILDREN else 1)
