import json
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local_run import AS_ROOT, AS_USER, MAKE_RUN, PLAIN, LocalRun, copy_of_clone
from tests.waiting import wait_until

Starter = Callable[..., LocalRun]
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def start() -> Iterator[Starter]:
    runs: list[LocalRun] = []

    def begin(*arguments: Any, **options: Any) -> LocalRun:
        runs.append(LocalRun(*arguments, **options))
        return runs[-1]

    yield begin
    for run in runs:
        run.kill_everything()


def answer_of(curl_line: str) -> dict[str, Any]:
    """What the printed line gets, run as it stands."""
    command = [*shlex.split(curl_line), "--silent"]
    output = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    answer: dict[str, Any] = json.loads(output)
    return answer


def status_of_request(run: LocalRun, location: str) -> str:
    token = run.curl_line.partition("Bearer ")[2].partition("'")[0]
    answer = requests.get(run.value("API") + location, headers={"Authorization": f"Bearer {token}"}, timeout=5)
    return str(answer.json()["status"])


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param(AS_USER if os.geteuid() == 0 else (), id="as an ordinary user"),
        pytest.param(() if os.geteuid() == 0 else AS_ROOT, id="as root", marks=pytest.mark.long),
    ],
)
def test_make_run_in_a_clean_clone_provisions_a_customer_and_leaves_nothing(
    prefix: Sequence[str], start: Starter, tmp_path: Path
):
    run = start(copy_of_clone(tmp_path), [*prefix, *MAKE_RUN]).ready()
    assert requests.get(run.value("Admin UI") + "/login", timeout=5).status_code == 200
    assert run.value("Admin") == "admin@example.com"
    assert not [line for line in run.lines if "overcommit" in line or "starting up" in line], "worries that are none"

    answer = answer_of(run.curl_line)
    assert answer["status"] == "accepted"
    location = f"/api/admin/tripwire/requests/{answer['request_id']}"
    wait_until(lambda: status_of_request(run, location) == "provisioned", 10)
    wait_until(lambda: list(run.folder.glob(".data/mail/*")), 10, what="a welcome mail")

    run.end(signal.SIGTERM)
    assert run.processes() == []


def test_a_second_run_keeps_data_and_password_and_ends_with_zero_on_ctrl_c(start: Starter, tmp_path: Path):
    first = start(tmp_path).ready()
    assert answer_of(first.curl_line)["success"]
    password = first.value("Password")
    assert first.end(signal.SIGINT) == 0

    second = start(tmp_path).ready()
    assert second.value("Password") == password
    assert answer_of(second.curl_line)["status"] == 409
    assert second.end(signal.SIGINT) == 0
    assert second.processes() == []


@pytest.mark.long
def test_a_killed_supervisor_leaves_nothing_and_the_next_run_starts(start: Starter, tmp_path: Path):
    first = start(tmp_path).ready()
    assert first.processes()
    os.kill(first.child.pid, signal.SIGKILL)
    second = start(tmp_path, environ={"API_PORT": first.environ["API_PORT"]}).ready()
    second.end()
    wait_until(lambda: first.processes() == [])


@pytest.mark.long
def test_given_servers_are_used_and_an_unreachable_redis_is_said(start: Starter, database_url: str, tmp_path: Path):
    nowhere = "redis://127.0.0.1:1/0"
    run = start(tmp_path, PLAIN, {"DATABASE_URL": database_url, "REDIS_URL": nowhere, "START_WORKER": "false"}).ready()
    assert any(line.startswith("Redis at 127.0.0.1:1 cannot be used: ") for line in run.lines)
    assert answer_of(run.curl_line)["fallback"] is True
    assert {process.name() for process in run.processes()}.isdisjoint({"postgres", "valkey-server"})
    assert not any(line.startswith("worker ") for line in run.lines)
    run.end()

    again = start(
        tmp_path, PLAIN, {"DATABASE_URL": database_url, "REDIS_URL": nowhere, "ADMIN_PASSWORD": "another one"}
    )
    assert again.ready().value("Password").startswith("(unknown")
    again.end()
