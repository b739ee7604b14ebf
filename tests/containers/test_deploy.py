"""`make deploy` and `make rollback` under load: no failed request, nothing lost, and a bad version goes by itself."""

import subprocess
import time

import pytest
import requests

from tests.containers.compose_stack import ComposeStack
from tests.faults.load import Load
from tests.sales_manager import Manager
from tests.waiting import wait_until

PROOF = "/opt/tripwire/lib/python3.13/site-packages/tripwire_api/deploy/proof.py"


def failures(load: Load) -> list[str]:
    return [str(seen) for seen in load.tries if seen.status not in (201, 202)]


def record(manager: Manager) -> list[tuple[str, str, str]]:
    found = manager.call("GET", "/api/admin/system/deploys").json()["deploys"]
    return [(row["version"], row["previous"], row["outcome"]) for row in found]


def settled(manager: Manager, load: Load) -> None:
    """Everything that was accepted becomes a customer."""
    for request_id in load.accepted:
        manager.wait_for(request_id, "provisioned", 60)


@pytest.mark.timeout(900)
def test_versions_come_and_go_without_a_failed_request(stack: ComposeStack, manager: Manager) -> None:
    running = stack.versions()
    assert running == {service: {"test"} for service in running}
    stack.image("v2")
    with Load([stack.url], manager.token, verify=False) as load:
        began = time.monotonic()
        said = stack.make("deploy", "VERSION=v2", "ARGS=--no-build")
        print(f"deploy: {time.monotonic() - began:.0f} s\n{said}")
        page = requests.get(f"{stack.url}/login", timeout=5)
        began = time.monotonic()
        back = stack.make("rollback", "VERSION=test")
        print(f"rollback: {time.monotonic() - began:.0f} s\n{back}")
    print(f"{len(load.tries)} requests")
    assert failures(load) == []
    assert len(load.accepted) > 500
    assert page.status_code == 200
    assert "Proved: a test customer was answered 20" in said
    assert "Version v2 runs. Back to test: make rollback" in said
    assert stack.versions() == running
    assert record(manager)[:2] == [("test", "v2", "done"), ("v2", "test", "done")]
    settled(manager, load)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("version", "lines", "reason"),
    [
        ("ends-at-once", ['CMD ["false"]'], "an instance of api did not become healthy"),
        ("never-answers", ['CMD ["sleep", "1000"]'], "an instance of api did not become healthy"),
        (
            "proves-nothing",
["USER root",
             f"RUN echo 'raise SystemExit(\"broken\")' > {PROOF}",
             "USER 10001:10001"],
            "the proof failed: broken",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)  # fmt: skip
def test_a_broken_version_goes_by_itself(
    stack: ComposeStack, manager: Manager, version: str, lines: list[str], reason: str
) -> None:
    before, instances = stack.versions(), {name: len(stack.containers(name)) for name in stack.versions()}
    stack.image(version, *lines)
    with Load([stack.url], manager.token, verify=False) as load:
        began = time.monotonic()
        with pytest.raises(AssertionError, match=reason):
            stack.make("deploy", f"VERSION={version}", "ARGS=--no-build")
        print(f"back from {version}: {time.monotonic() - began:.0f} s")
    assert failures(load) == []
    assert stack.versions() == before
    assert {name: len(stack.containers(name)) for name in before} == instances
    assert record(manager)[0] == (version, "test", "rolled_back")
    settled(manager, load)


@pytest.mark.timeout(300)
def test_two_at_once_the_second_is_refused(stack: ComposeStack, manager: Manager) -> None:
    stack.image("v3")
    first = subprocess.Popen(
        ["make", "deploy", "VERSION=v3", "ARGS=--no-build"], cwd=stack.clone, env=stack.environ,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        wait_until(lambda: "tripwire-test-deploy" in stack.docker("ps", "--format", "{{.Names}}"), 30, step=0.2)
        with pytest.raises(AssertionError, match="Another deploy is under way, by "):
            stack.make("deploy", "VERSION=v3", "ARGS=--no-build", seconds=60)
    finally:
        first.terminate()  # and one that is ended puts back what it has replaced
        output = first.communicate(timeout=200)[0]
    print(output)
    assert stack.versions() == {service: {"test"} for service in stack.versions()}
    assert "tripwire-test-deploy" not in stack.docker("ps", "--format", "{{.Names}}")


def test_a_dry_run_says_what_it_would_do_and_does_nothing(stack: ComposeStack, manager: Manager) -> None:
    stack.image("v5")
    before, recorded = stack.versions(), record(manager)
    said = stack.make("deploy", "VERSION=v5", "ARGS=--dry-run --no-build")
    assert "From version test to v5" in said
    assert "replace 2 of api, one after the other" in said
    assert (stack.versions(), record(manager)) == (before, recorded)


def test_what_cannot_be_is_said_in_one_line(stack: ComposeStack) -> None:
    for arguments, words in (
        (("VERSION=never-built", "ARGS=--no-build"), "There is no image tripwire-api:never-built here."),
        (("VERSION=test", "ARGS=--no-build"), "Version test runs already."),
        (("VERSION=a/b", "ARGS=--no-build"), "VERSION may hold letters"),
        (("ARGS=--quickly",), "Unknown option --quickly"),
    ):
        with pytest.raises(AssertionError, match=words):
            stack.make("deploy", *arguments)
