"""What a container may do, what is reachable from where, and what the images hold."""

import json

import pytest

from tests.containers.compose_stack import ComposeStack

OURS = ("api", "worker", "admin-ui")
# What an image of ours may add to its base: 250 MB in all, of which the upstream Python image takes 125.
ADDED_AT_MOST = 125_000_000

TRY_TO_WRITE = """
import pathlib
for folder in ("/", "/srv", "/opt/tripwire", "/usr/local"):
    try:
        pathlib.Path(folder, "x").touch()
        print("wrote into", folder)
    except OSError as error:
        print(error.strerror)
"""

TRY_TO_CONNECT = """
import socket, sys
for host, port in {targets}:
    try:
        socket.create_connection((host, port), timeout=2).close()
        print(host, "open")
    except OSError:
        print(host, "closed")
"""


@pytest.mark.parametrize("service", OURS)
def test_a_container_may_write_nothing_and_gain_nothing(stack: ComposeStack, service: str) -> None:
    for container in stack.containers(service):
        found = stack.inspect(container)
        assert found["Config"]["User"] == "10001:10001"
        assert found["HostConfig"]["ReadonlyRootfs"] is True
        assert found["HostConfig"]["CapDrop"] == ["ALL"]
        assert found["HostConfig"]["SecurityOpt"] == ["no-new-privileges:true"]
        assert found["HostConfig"]["Memory"] > 0
        assert found["HostConfig"]["LogConfig"]["Config"]["max-size"] == "10m"
    assert set(stack.inside(service, TRY_TO_WRITE).splitlines()) == {"Read-only file system"}
    assert stack.inside(service, "import os; print(os.getuid())").strip() == "10001"


def test_nothing_is_published_but_the_edge(stack: ComposeStack) -> None:
    published = {}
    for container in stack.compose("ps", "--quiet").split():
        found = stack.inspect(container)
        service = found["Config"]["Labels"]["com.docker.compose.service"]
        for port, hosts in found["NetworkSettings"]["Ports"].items():
            if hosts:
                published[service, port] = {host["HostIp"] for host in hosts}
    assert published == {("edge", "443/tcp"): {"127.0.0.1"}, ("edge", "80/tcp"): {"127.0.0.1"}}


def reachable(stack: ComposeStack, service: str) -> dict[str, str]:
    targets = [("postgres", 5432), ("valkey", 6379), ("api", 8000), ("edge", 8000), ("192.0.2.1", 80)]
    lines = stack.inside(service, TRY_TO_CONNECT.format(targets=targets)).splitlines()
    return dict(line.split() for line in lines)


def test_the_networks_are_separate(stack: ComposeStack) -> None:
    # 192.0.2.1 is an address of nobody: only to show that a closed one reads so.
    closed = dict.fromkeys(("postgres", "192.0.2.1"), "closed")
    everything = dict.fromkeys(("postgres", "valkey", "edge", "api"), "open")
    assert reachable(stack, "admin-ui") == {**everything, **closed}
    assert reachable(stack, "worker") == {**everything, "192.0.2.1": "closed"}
    for network in ("database", "queue", "front", "console", "metrics"):
        assert stack.inspect(f"tripwire-test_{network}")["Internal"] is True


@pytest.mark.parametrize("service", OURS)
def test_an_image_holds_no_secret_and_no_build_tool(stack: ComposeStack, service: str) -> None:
    image = f"tripwire-{service}:test"
    about = json.dumps(stack.inspect(image)["Config"]) + stack.docker("history", "--no-trunc", image)
    for secret in stack.secrets.iterdir():
        if secret.name == "edge_ca.crt":
            continue  # of the edge's certificate authority: public
        assert secret.read_text().strip() not in about
    found = stack.docker(
        "run", "--rm", "--network", "none", image, "sh", "-c",
        "command -v pip pip3 gcc cc make git curl npm node; python -c 'import pip' 2>/dev/null && echo import pip;"
        " python -c 'import setuptools' 2>/dev/null && echo import setuptools; find / -xdev"
        " ( -name .env -o -name .git -o -name secrets -o -name '*.pem' ) -not -path '/proc/*' -not -path '/etc/ssl/*'"
        " -not -path '/usr/*' 2>/dev/null; true".replace("( ", "\\( ").replace(" )", " \\)"),
    )  # fmt: skip
    assert [line for line in found.splitlines() if "certifi" not in line and "/gevent/tests/" not in line] == []


@pytest.mark.parametrize("service", OURS)
def test_an_image_stays_small(stack: ComposeStack, service: str) -> None:
    base = stack.environ.get("PYTHON_IMAGE", "python:3.13-slim-bookworm")
    assert stack.inspect(f"tripwire-{service}:test")["Size"] - stack.inspect(base)["Size"] < ADDED_AT_MOST
