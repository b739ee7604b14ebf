"""Keeps the children running, and ends them in order."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.local.child import Child
from deploy.local.errors import CannotStart, StopRequested
from deploy.local.guard import Guard
from tripwire_shared import timings
from tripwire_shared.orphans import adopt_orphans, collect_orphans
from tripwire_shared.restart_rule import DEATHS_UNTIL_SLOW, RestartRule


@dataclass
class _Watched:
    child: Child
    rule: RestartRule = field(default_factory=RestartRule)
    start_again_at: float | None = None


class Supervisor:
    """Watches children in the order of their start; `say` takes a line for the user.

    `stop_requested` is asked at every wait; once it is true, waits raise StopRequested. `collects`: the process has no
    children but these, and collects the dead that they leave behind.
    """

    def __init__(
        self, guard: Guard, say: Callable[[str], None], stop_requested: Callable[[], bool], *, collects: bool = False
    ) -> None:
        self._guard = guard
        self._say = say
        self._stop_requested = stop_requested
        self._watched: list[_Watched] = []
        self._once: Child | None = None
        self._collects = collects
        if collects:
            adopt_orphans()

    def watch(self, child: Child) -> Child:
        """Takes a child over before its first start: from then on it is started again whenever it dies."""
        child.on_start = self._guard.started
        self._watched.append(_Watched(child))
        return child

    def run_once(self, child: Child) -> int:
        """Runs a child to its end; its exit code."""
        child.on_start = self._guard.started
        self._once = child
        child.start()
        try:
            while child.alive:
                self.pause()
            return child.exit_code or 0
        finally:
            child.stop()
            self._guard.ended(child.pid)

    def wait_until(self, ready: Callable[[], bool], what: str) -> None:
        """Waits for `ready` while everything is starting. Raises CannotStart where a child dies or time runs out."""
        deadline = time.monotonic() + timings.LOCAL_READY_LIMIT
        while not ready():
            for watched in self._watched:
                code = watched.child.exit_code
                if code is not None:
                    raise CannotStart(f"{watched.child.name} {_ending(code)} while it started; its lines say why.")
            if time.monotonic() > deadline:
                raise CannotStart(f"{what} is not ready after {timings.LOCAL_READY_LIMIT:g} s.")
            self.pause()

    def pause(self) -> None:
        """Waits a moment. Raises StopRequested."""
        time.sleep(timings.LOCAL_POLL)
        if self._collects:
            collect_orphans({self._guard.pid, *(child.pid for child in self._children())})
        if self._stop_requested():
            raise StopRequested

    def run(self) -> None:
        """Starts again what dies, until StopRequested is raised."""
        while True:
            self.pause()
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Looks at every child once: notes deaths, starts again what has rested."""
        for watched in self._watched:
            if watched.start_again_at is not None:
                if now >= watched.start_again_at:
                    self._start_again(watched, now)
            elif (code := watched.child.exit_code) is not None:
                watched.child.kill()  # what it left in its group may hold its port
                self._guard.ended(watched.child.pid)
                self._rest(watched, now, _ending(code))

    def stop(self) -> None:
        """Ends all children, the last started first."""
        for watched in reversed(self._watched):
            if not watched.child.stop():
                self._say(f"{watched.child.name} did not end within {watched.child.stop_limit:g} s and was killed.")
            self._guard.ended(watched.child.pid)
        self._watched.clear()

    def _children(self) -> list[Child]:
        return [watched.child for watched in self._watched] + ([self._once] if self._once else [])

    def _start_again(self, watched: _Watched, now: float) -> None:
        watched.start_again_at = None
        try:
            watched.child.start()
        except OSError as error:
            self._rest(watched, now, f"could not be started ({error.strerror})")

    def _rest(self, watched: _Watched, now: float, ending: str) -> None:
        pause = watched.rule.pause_after_death(now)
        watched.start_again_at = now + pause
        often = pause > timings.RESTART_PAUSE
        reason = f"{DEATHS_UNTIL_SLOW} deaths in a minute, next start in {pause:g} s" if often else "starting it again"
        self._say(f"{watched.child.name} {ending}: {reason}.")


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
