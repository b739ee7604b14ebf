"""Who holds a lease: of a claim on requests, or of messages on their way."""

import os
import socket
from uuid import uuid4


def new_owner() -> str:
    """Unique for each lease, and readable: host and process that took it."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:12]}"
