"""PostgreSQL away: 503 within 2 s, nothing kept; and back without a refusal."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.postgres import PostgresServer
from tests.api.conftest import ApiUnderTest, Caller, assert_problem
from tests.api.test_create import ANNA, CREATE
from tests.waiting import wait_until

ANSWERED_WITHIN = 2.0
SLACK = 0.5


@pytest.fixture
def manager(api_for: Callable[..., ApiUnderTest], own_postgres: PostgresServer) -> Caller:
    return api_for(database_url=own_postgres.url).member("manager@example.com")


@pytest.fixture
def freeze(own_postgres: PostgresServer) -> Iterator[Callable[[], None]]:
    """Stops every process of the server (SIGSTOP), so that it neither answers nor hangs up."""
    stopped: list[psutil.Process] = []

    def all_of_them() -> None:
        folder = str(own_postgres.folder) if hasattr(own_postgres, "folder") else ""
        for process in psutil.process_iter(["cmdline", "pid"]):
            line = " ".join(process.info["cmdline"] or [])
            if folder and folder in line:
                stopped.extend([process, *process.children(recursive=True)])
        assert stopped
        for process in stopped:
            process.send_signal(signal.SIGSTOP)

    yield all_of_them
    for process in stopped:
        process.send_signal(signal.SIGCONT)
