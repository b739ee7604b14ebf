"""Every command of the runbook, section by section, as on duty one would paste it; the stack is whole afterwards."""

import re
import subprocess
from pathlib import Path

import pytest

from deploy.local.services import ROOT
from tests.containers.compose_stack import SERVICES, ComposeStack
from tests.sales_manager import Manager
from tests.waiting import wait_until

RUNBOOK = (ROOT / "deploy/README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INTRODUCTION, *SECTIONS = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)
[NAMES] = BLOCK.findall(INTRODUCTION)
COMMANDS = {text.partition("\n")[0]: BLOCK.findall(text) for text in SECTIONS}


def run(stack: ComposeStack, block: str) -> str:
    environ = {
        **stack.environ, "PUBLIC_URL": stack.url, "CURL_CA_BUNDLE": str(stack.secrets / "edge_ca.crt"),
    }  # fmt: skip
    answer = subprocess.run(
        ["sh", "-euc", f"{NAMES}\n{block}"], cwd=stack.clone, env=environ, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert answer.returncode == 0, f"{block}\n{answer.stdout}\n{answer.stderr}"
    return answer.stdout


@pytest.mark.timeout(600)
@pytest.mark.parametrize("section", [name for name, blocks in COMMANDS.items() if blocks])
def test_the_commands_of(stack: ComposeStack, manager: Manager, section: str) -> None:
    before = manager.create().json()["request_id"]
    instances = {service: len(stack.containers(service)) for service in SERVICES}
    said = [run(stack, block) for block in COMMANDS[section]]
    print(section, *said, sep="\n")
    for text in said:
        assert not re.search(r'"status": ?(?!409)[45]', text), "the API refused it"
    if section == "Moving to another host":
        stack.make("up")
        assert (stack.backups / Path(said[0].split(": ")[0]).name).exists()
    if section == "The switch without the console":
        assert len(re.findall('"success": ?true', said[0])) == 2
    wait_until(lambda: manager.create().status_code in (201, 202), 30, step=0.5, what="created after it")
    manager.wait_for(before, "provisioned", 60)
    assert {service: len(stack.containers(service)) for service in SERVICES} == instances
    assert stack.log_in()
