"""The worker service: two child processes, the pool and the sweep; either is started again when it dies.

Two processes, so that one can be lost without the other: the sweep finishes what a dead pool leaves, and works without
Redis. SIGTERM goes to both; each finishes what it is at.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from tripwire_shared.logs import configure_logging, get_logger
from tripwire_shared.settings import SettingsError, load_settings
from tripwire_shared.timings import CHILD_RESTART_PAUSE, WORKER_STOP_TIMEOUT
from tripwire_worker import pool, sweeper
from tripwire_worker.process_ties import end_with_parent


def main() -> int:
    try:
        settings = load_settings(pool.REQUIRED)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    configure_logging("worker", settings.log_level, settings.log_format)
    # A folder of this run alone for the figures of all processes; spawned, they find it before they import the client.
    with tempfile.TemporaryDirectory(prefix="tripwire-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        _watch({"pool": pool.main, "sweep": sweeper.main})
    return 0


def _watch(duties: dict[str, Callable[[], None]]) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    children = {name: _start(name, duty) for name, duty in duties.items()}
    while not stopped.wait(CHILD_RESTART_PAUSE):
        for name, child in children.items():
            if not child.is_alive():
                get_logger(__name__).error("a child process died and is started again", child=name, code=child.exitcode)
                children[name] = _start(name, duties[name])
    _stop(list(children.values()))


def _start(name: str, duty: Callable[[], None]) -> BaseProcess:
    child = multiprocessing.get_context("spawn").Process(target=_run, args=(duty, os.getpid()), name=name)
    child.start()
    return child


def _run(duty: Callable[[], None], parent: int) -> None:
    end_with_parent(parent, signal.SIGTERM)
    duty()


def _stop(children: list[BaseProcess]) -> None:
    for child in children:
        child.terminate()
    give_up_at = time.monotonic() + WORKER_STOP_TIMEOUT
    for child in children:
        child.join(max(0.1, give_up_at - time.monotonic()))
        if child.is_alive():
            get_logger(__name__).error("a child process did not stop in time and is killed", child=child.name)
            child.kill()
