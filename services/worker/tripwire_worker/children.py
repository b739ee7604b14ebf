"""The worker service: two child processes, the RQ worker and the sweep; either is started again when it dies or hangs.

Two processes, so that one can be lost without the other: the sweep finishes what a dead worker leaves, and works
without Redis. SIGTERM goes to both; each finishes what it is at. They are forked from this process, which has imported
all that they need and does nothing else: so they share its memory, and a new one is there in milliseconds.
"""

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from tripwire_shared.logs import configure_logging, get_logger, log_uncaught
from tripwire_shared.metrics.metrics_folder import make_metrics_folder, merge_dead, remove_metrics_folder
from tripwire_shared.orphans import collect_orphans
from tripwire_shared.postgres.listen_url import check_listen_url
from tripwire_shared.restart_rule import RestartRule
from tripwire_shared.settings import NEEDED, SettingsError, load_settings
from tripwire_shared.timings import CHILD_LOOK, CHILD_SILENT_LIMIT, CHILD_START_LIMIT, WORKER_STOP_TIMEOUT
from tripwire_worker.process_ties import end_with_parent, name_process
from tripwire_worker.pulse import Pulse

Duty = Callable[[Pulse], None]


def main() -> int:
    # Before prometheus_client is imported, which decides then how it keeps its figures.
    metrics_folder = make_metrics_folder()
    try:
        from tripwire_worker import sweep_process, worker_process

        try:
            settings = load_settings(NEEDED)
            check_listen_url(settings)
        except SettingsError as error:
            print(error, file=sys.stderr)
            return 1
        configure_logging("worker", settings.log_level, settings.log_format)
        # What is here by now stays: a collection in a child would write to it, and so copy it.
        gc.collect()
        gc.freeze()
        _watch([WatchedChild("worker", worker_process.main), WatchedChild("sweep", sweep_process.main)])
    finally:
        remove_metrics_folder(metrics_folder)
    return 0


class WatchedChild:
    """A child process with its pulse."""

    def __init__(self, name: str, duty: Duty) -> None:
        self.name, self._duty = name, duty
        self._rule, self._rests_until = RestartRule(), 0.0
        self.start()

    def start(self) -> None:
        self._pulse = Pulse()
        self._beats_seen = self._looks_without_pulse = 0
        # Forking is safe here: this process has one thread and no connection: that of the check is closed.
        context = multiprocessing.get_context("fork")
        self.process: BaseProcess = context.Process(
            target=_run, args=(self._duty, self.name, os.getpid(), self._pulse), name=self.name
        )
        self.process.start()

    def look(self) -> None:
        """Starts it again if it died; kills it first if it hangs. Called every CHILD_LOOK.

        Looks are counted and no clock is read, so that a pause of this process itself is nobody's silence.
        """
        beats = self._pulse.beats
        self._looks_without_pulse = self._looks_without_pulse + 1 if beats == self._beats_seen else 0
        self._beats_seen = beats
        limit = CHILD_SILENT_LIMIT if beats else CHILD_START_LIMIT
        if self.process.is_alive() and self._looks_without_pulse * CHILD_LOOK >= limit:
            get_logger(__name__).error("a child process hangs and is killed", child=self.name)
            self.process.kill()
            self.process.join()
        if not self.process.is_alive():
            self._start_again(time.monotonic())

    def _start_again(self, now: float) -> None:
        if not self._rests_until:
            pause = self._rule.pause_after_death(now)
            get_logger(__name__).error(
                "a child process died and is started again", child=self.name, code=self.process.exitcode, after=pause
            )
            self._rests_until = now + pause - CHILD_LOOK  # this look came that much late
            merge_dead(self.process.pid or 0)
        if now >= self._rests_until:
            self._rests_until = 0.0
            self.start()


def _watch(children: list[WatchedChild]) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.wait(CHILD_LOOK):
        for child in children:
            child.look()
        collect_orphans({child.process.pid or 0 for child in children})
    _stop([child.process for child in children])


def _run(duty: Duty, name: str, parent: int, pulse: Pulse) -> None:
    # Until the duty sets its own: the parent's handlers came along with the fork.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    end_with_parent(parent, signal.SIGTERM)
    name_process(f"tripwire-{name}")
    try:
        duty(pulse)
    except Exception as error:  # multiprocessing would print its text, which may quote a row
        log_uncaught(name, error)
        sys.exit(1)


def _stop(children: list[BaseProcess]) -> None:
    for child in children:
        child.terminate()
    give_up_at = time.monotonic() + WORKER_STOP_TIMEOUT
    for child in children:
        child.join(max(0.1, give_up_at - time.monotonic()))
        if child.is_alive():
            get_logger(__name__).error("a child process did not stop in time and is killed", child=child.name)
            child.kill()
