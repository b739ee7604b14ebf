"""Containers that stop, die and are replaced: nothing accepted is lost, and everything comes back by itself."""

import time

import pytest
import requests

from tests.containers.compose_stack import SCALE, ComposeStack
from tests.sales_manager import Manager
from tests.waiting import wait_until


def statuses(manager: Manager) -> int:
    try:
        return manager.create().status_code
    except requests.RequestException:
        return 0


def test_valkey_stopped(stack: ComposeStack, manager: Manager) -> None:
    before = len(stack.alerts())
    stack.compose("stop", "valkey")
    answer = manager.create()
    assert (answer.status_code, answer.json()["fallback"]) == (201, True), answer.text

    def alerted() -> bool:
        return any("Redis queue failed!" in text for text in stack.alerts()[before:])

    wait_until(alerted, 10, step=0.5, what="the alert")
    stack.compose("start", "valkey")
    wait_until(lambda: statuses(manager) == 202, 10, step=0.2, what="202 again")
    wait_until(lambda: any("RESOLVED" in text for text in stack.alerts()[before:]), 15, step=0.5, what="resolved")


def test_a_killed_worker(stack: ComposeStack, manager: Manager) -> None:
    accepted = [manager.create().json()["request_id"] for _ in range(20)]
    killed = stack.containers("worker")[0]
    stack.docker("kill", "--signal", "KILL", killed)
    for request_id in accepted:
        manager.wait_for(request_id, "provisioned", 20)
    stack.docker("start", killed)
    wait_until(lambda: stack.inspect(killed)["State"]["Health"]["Status"] == "healthy", 30, step=0.5)


def test_postgres_restarted(stack: ComposeStack, manager: Manager) -> None:
    accepted = [manager.create().json()["request_id"] for _ in range(5)]
    stack.compose("stop", "postgres")
    began = time.monotonic()
    answer = manager.create()
    assert answer.status_code == 503, answer.text
    assert time.monotonic() - began < 2.5
    assert "Retry-After" in answer.headers
    stack.compose("start", "postgres")
    wait_until(lambda: statuses(manager) in (201, 202), 30, step=0.2, what="accepted again")
    for request_id in accepted:
        manager.wait_for(request_id, "provisioned", 20)


@pytest.mark.parametrize("service", ["worker", "api"])
def test_replaced_containers_lose_nothing_and_end_by_themselves(
    stack: ComposeStack, manager: Manager, service: str
) -> None:
    accepted = [manager.create().json()["request_id"] for _ in range(10)]
    for container in stack.containers(service):
        began = time.monotonic()
        stack.docker("stop", container)
        state = stack.inspect(container)["State"]
        assert (state["ExitCode"], state["OOMKilled"]) == (0, False), "it ended by itself, not by SIGKILL"
        assert time.monotonic() - began < 20
    stack.compose("rm", "--force", service)
    stack.make("up", f"ARGS={SCALE}")
    wait_until(lambda: statuses(manager) == 202, 20, step=0.2, what="202 after the roll")
    for request_id in accepted:
        manager.wait_for(request_id, "provisioned", 30)
