"""How many connections a server process may hold."""

import resource

CONNECTIONS_AT_MOST = 4_000
# Files that a process needs beside its clients: databases, logs, metrics, certificates.
OTHER_FILES = 200
LEAST = 64


def allow_connections() -> int:
    """Raises this process' limit of open files as far as it may, for its children too; returns how many connections
    each of them can have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_AT_MOST + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    files = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft)
    return max(LEAST, files - OTHER_FILES)
