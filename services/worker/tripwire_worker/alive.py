"""`python -m tripwire_worker.alive`: the container's health check. 0 while the service's two children run, else 1.

It reads the process table and nothing else: a worker service is well also while Redis or PostgreSQL is away.
"""

import sys
from collections.abc import Collection, Iterator
from pathlib import Path

# What its children call themselves (children.py).
CHILDREN = ("tripwire-worker", "tripwire-sweep")


def living_children(parents: Collection[int], processes: Path = Path("/proc")) -> int:
    """How many of the children that the service, one of `parents`, should have run now."""
    return sum(
        parent in parents and state != "Z" and name in CHILDREN for _, name, state, parent in _processes(processes)
    )


def first_processes(processes: Path = Path("/proc")) -> set[int]:
    """The container's first process, and those that it started: one of them is the service (docker's init may be the
    first)."""
    return {1, *(pid for pid, _, _, parent in _processes(processes) if parent == 1)}


def _processes(folder: Path) -> Iterator[tuple[int, str, str, int]]:
    """The id, name, state and parent of each process."""
    for process in folder.iterdir():
        if not process.name.isdigit():
            continue
        try:
            # "pid (name) state parent …": a name may hold spaces and brackets, so read up to its last bracket.
            head, _, rest = (process / "stat").read_text().rpartition(")")
        except OSError:
            continue  # it ended meanwhile
        state, parent = rest.split()[:2]
        yield int(process.name), head.partition("(")[2], state, int(parent)


if __name__ == "__main__":
    sys.exit(0 if living_children(first_processes()) >= len(CHILDREN) else 1)
