"""The edge as the stack has it: slow clients, a restart of the host, and killed children of a worker."""

import re
import statistics
import time

import pytest
import requests

from tests.containers.compose_stack import ComposeStack
from tests.edge_server import unverified
from tests.faults.slow_clients import SlowClients, allow_files
from tests.sales_manager import CREATE, Manager
from tests.waiting import wait_until

KILLS = 50


def test_slow_clients_hold_nobody_up(stack: ComposeStack, manager: Manager) -> None:
    allow_files(2_000)
    with SlowClients(stack.url, unverified()) as slow:
        slow.silent(100)
        slow.half_sent(100, CREATE)
        slow.never_reading(100, "/docs")
        times = []
        for _ in range(60):
            began = time.monotonic()
            assert manager.create().status_code == 202
            times.append(time.monotonic() - began)
    print(f"beside 300 slow clients: p50 {statistics.median(times):.3f} s, worst {max(times):.3f} s")
    assert statistics.median(times) < 0.1
    assert max(times) < 0.5


@pytest.mark.timeout(300)
def test_all_containers_are_stopped_and_started(stack: ComposeStack, manager: Manager) -> None:
    """As where the host is restarted: nobody starts them in order."""
    accepted = [manager.create().json()["request_id"] for _ in range(10)]
    everything = stack.compose("ps", "--quiet").split()
    stack.docker("stop", *everything)
    began = time.monotonic()
    stack.docker("start", *reversed(everything))

    def answers() -> bool:
        try:
            return manager.create().status_code == 202
        except requests.RequestException:
            return False

    wait_until(answers, 90, step=0.2, what="202 after the restart")
    print(f"host restart: {time.monotonic() - began:.1f} s until 202")
    for request_id in accepted:
        manager.wait_for(request_id, "provisioned", 40)


@pytest.mark.timeout(600)
def test_killed_children_of_a_worker_leave_no_zombie(stack: ComposeStack, manager: Manager) -> None:
    container = stack.containers("worker")[0]
    kill = (
        "import os, signal\n"
        "for pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "    stat = open(f'/proc/{pid}/stat').read()\n"
        "    if '(tripwire-worker)' in stat and ') Z' not in stat:\n"
        "        os.kill(int(pid), signal.SIGKILL)\n"
    )
    count = "import glob; print(sum(') Z' in open(stat).read() for stat in glob.glob('/proc/[0-9]*/stat')))"
    accepted = []
    for _ in range(KILLS):
        accepted.append(manager.create().json()["request_id"])
        stack.docker("exec", container, "python", "-c", kill)
    for request_id in accepted:
        manager.wait_for(request_id, "provisioned", 60)
    assert stack.docker("exec", container, "python", "-c", count).strip() == "0"
    processes = int(re.sub(r"\D", "", stack.docker("exec", container, "sh", "-c", "ls -d /proc/[0-9]* | wc -l")))
    assert processes < 10
    wait_until(lambda: stack.inspect(container)["State"]["Health"]["Status"] == "healthy", 60, step=0.5)
