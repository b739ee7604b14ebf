"""`python -m tripwire_worker.alive`: the container's health check. 0 while the service's two children run, else 1.

It reads the process table and nothing else: a worker service is well also while Redis or PostgreSQL is away.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

# The worker service is the first process of its container.
SERVICE_PID = 1
# What its children call themselves (children.py).
CHILDREN = ("tripwire-pool", "tripwire-sweep")


def living_children(parent: int, processes: Path = Path("/proc")) -> int:
    """How many of the children that `parent` should have run now."""
    return sum(
        parent_of == parent and state != "Z" and name in CHILDREN for name, state, parent_of in _processes(processes)
    )


def _processes(folder: Path) -> Iterator[tuple[str, str, int]]:
    """The name, state and parent of each process."""
    for process in folder.iterdir():
        if not process.name.isdigit():
            continue
        try:
            # "pid (name) state parent …": a name may hold spaces and brackets, so read up to its last bracket.
            head, _, rest = (process / "stat").read_text().rpartition(")")
        except OSError:
            continue  # it ended meanwhile
        state, parent = rest.split()[:2]
        yield head.partition("(")[2], state, int(parent)


if __name__ == "__main__":
    sys.exit(0 if living_children(SERVICE_PID) >= len(CHILDREN) else 1)
