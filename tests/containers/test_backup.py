"""The timer's copies, a copy by hand, and everything lost: restored, and all that was accepted is finished."""

import json
import time
from pathlib import Path

import pytest
import requests

from tests.containers.compose_stack import SCALE, ComposeStack
from tests.sales_manager import Manager
from tests.waiting import wait_until


def health(stack: ComposeStack) -> str:
    [container] = stack.containers("backup")
    return str(stack.inspect(container)["State"]["Health"]["Status"])


def test_the_timer_has_made_a_copy_and_may_do_nothing_else(stack: ComposeStack) -> None:
    assert health(stack) == "healthy"
    [container] = stack.containers("backup")
    found = stack.inspect(container)["HostConfig"]
    assert found["ReadonlyRootfs"] is True
    assert found["CapDrop"] == ["ALL"]
    assert stack.inspect(container)["NetworkSettings"]["Networks"].keys() == {"tripwire-test_database"}
    copies = list(stack.backups.glob("tripwire-*.dump"))
    assert copies
    assert {oct(file.stat().st_mode)[-3:] for file in copies} == {"600"}
    assert oct(stack.backups.stat().st_mode)[-3:] == "700"
    processes = stack.compose("exec", "--no-TTY", "backup", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert (stack.secrets / "postgres_password").read_text() not in processes


def test_a_timer_that_cannot_write_says_so_in_the_health_log(stack: ComposeStack, manager: Manager) -> None:
    for file in stack.backups.iterdir():
        file.unlink()
    stack.backups.chmod(0o500)
    try:
        stack.compose("restart", "backup")

        def warned() -> bool:
            logs = manager.call("GET", "/api/admin/system/logs?type=WARNING&limit=5").json()["logs"]
            return any("The backup failed: Permission denied" in event["message"] for event in logs)

        wait_until(warned, 30, step=0.5, what="the warning")
    finally:
        stack.backups.chmod(0o700)
    stack.compose("restart", "backup")
    wait_until(lambda: list(stack.backups.glob("*.dump")), 30, step=0.5, what="a copy")
    wait_until(lambda: health(stack) == "healthy", 30, step=0.5)


def test_after_losing_everything_the_copy_is_restored_and_finished(stack: ComposeStack, manager: Manager) -> None:
    provisioned = [manager.create().json()["request_id"] for _ in range(5)]
    for request_id in provisioned:
        manager.wait_for(request_id, "provisioned", 20)
    stack.compose("stop", "worker")
    waiting = [manager.create(password="a good password").json()["request_id"] for _ in range(5)]
    began = time.monotonic()
    said = stack.make("backup", "STACK=compose")
    print(f"backup: {time.monotonic() - began:.1f} s: {said}")
    file = Path(said.split(": ")[0])
    assert file.stat().st_size > 10_000

    stack.make("down", "VOLUMES=1")
    assert file.exists()
    began = time.monotonic()
    said = stack.make("restore", "STACK=compose", f"FILE={file}")
    print(f"restore: {time.monotonic() - began:.1f} s: {said}")
    assert "5 to be finished" in said
    with pytest.raises(AssertionError, match="is not empty"):
        stack.make("restore", "STACK=compose", f"FILE={file}")
    stack.make("up", f"ARGS={SCALE}")

    again = Manager(stack.url, stack.log_in())
    for request_id in [*provisioned, *waiting]:
        again.wait_for(request_id, "provisioned", 30)
    assert requests.get(f"{stack.url}/login", timeout=5).status_code == 200
    with pytest.raises(AssertionError, match="in use"):
        stack.make("restore", "STACK=compose", f"FILE={file}")
    figures = again.metrics()
    assert figures["accepted_unfinished"] == 0, json.dumps(figures)
