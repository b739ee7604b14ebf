import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.child import Child, running
from deploy.local.guard import Guard
from deploy.local.services import ROOT
from deploy.local.supervisor import RestartRule, Supervisor
from tests.waiting import wait_until

SLEEPER = [sys.executable, "-c", "import time; print('here'); time.sleep(60)"]
WITH_A_CHILD = [
    sys.executable,
    "-c",
    "import subprocess; c = subprocess.Popen(['sleep', '60']); print(c.pid); c.wait()",
]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str], tmp_path: Path) -> Iterator[Supervisor]:
    with (tmp_path / "lock").open("w") as lock:
        guard = Guard(ROOT, hold=lock.fileno())
        watching = Supervisor(guard, said.append, stop_requested=lambda: False)
        yield watching
        watching.stop()
        guard.close()


def child(command: list[str], folder: Path, lines: list[str]) -> Child:
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return Child("worker", command, environ=environ, folder=folder, write_line=lines.append, stop_limit=2)


def test_a_killed_service_runs_again_within_two_seconds(supervisor: Supervisor, said: list[str], tmp_path: Path):
    lines: list[str] = []
    service = supervisor.watch(child(SLEEPER, tmp_path, lines))
    service.start()
    first = service.pid
    wait_until(lambda: lines == ["here"])
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not running(first))

    def started_again() -> bool:
        supervisor.look(time.monotonic())
        return len(lines) == 2

    wait_until(started_again, 2)
    assert service.pid != first
    assert said == ["worker was ended by SIGKILL: starting it again."]


def test_what_a_killed_service_had_started_is_gone_before_the_next_start(supervisor: Supervisor, tmp_path: Path):
    lines: list[str] = []
    service = supervisor.watch(child(WITH_A_CHILD, tmp_path, lines))
    service.start()
    wait_until(lambda: lines)
    os.kill(service.pid, signal.SIGKILL)
    wait_until(lambda: not service.alive)
    supervisor.look(time.monotonic())
    wait_until(lambda: not running(int(lines[0])))


@pytest.mark.long
def test_the_fifth_death_in_a_minute_makes_it_wait_ten_seconds_and_says_so(
    supervisor: Supervisor, said: list[str], tmp_path: Path
):
    service = supervisor.watch(child([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, []))
    service.start()
    now = time.monotonic()
    for death in range(1, 6):
        wait_until(lambda: not service.alive)
        supervisor.look(now)  # notes the death
        assert len(said) == death
        now += 0.6
        supervisor.look(now)  # starts it again, but after the fifth
    assert said[3:] == [
        "worker ended with status 3: starting it again.",
        "worker ended with status 3: 5 deaths in a minute, next start in 10 s.",
    ]
    fifth = service.pid
    supervisor.look(now + 9)
    assert service.pid == fifth
    supervisor.look(now + 10)
    assert service.pid != fifth


def test_four_deaths_in_a_minute_are_no_reason_to_wait():
    rule = RestartRule()
    assert [rule.pause_after_death(second) for second in (0, 20, 40, 59, 61, 81)] == [0.5] * 6


def test_children_are_stopped_in_the_reverse_order_of_their_start(supervisor: Supervisor, tmp_path: Path):
    farewell = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print(NAME, 'ends'))); print(NAME); "
    )
    lines: list[str] = []
    for name in ("first", "second", "third"):
        code = f"NAME = {name!r}; {farewell}signal.pause()"
        supervisor.watch(child([sys.executable, "-c", code], tmp_path, lines)).start()
        wait_until(lambda: lines[-1:] == [name])  # noqa: B023  # waited for at once
    supervisor.stop()
    assert lines[3:] == ["third ends", "second ends", "first ends"]
