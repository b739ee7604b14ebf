"""One stack for all tests of the folder, from images built anew; each test leaves it healthy."""

import os
from collections.abc import Iterator

import pytest

from tests.containers.compose_stack import SCALE, ComposeStack, complaint_about_engine
from tests.sales_manager import Manager


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    if complaint := complaint_about_engine():
        pytest.skip(f"No Docker engine with compose answers ({complaint}).", allow_module_level=True)
    stack = ComposeStack(tmp_path_factory.mktemp("compose"))
    stack.make("build", seconds=900)
    try:
        stack.make("up", f"ARGS={SCALE}")
        # The certificate authority that the edge made for itself.
        os.environ["REQUESTS_CA_BUNDLE"] = str(stack.secrets / "edge_ca.crt")
        yield stack
    finally:
        print(stack.compose("logs", "--tail", "50", "api", "worker"))
        stack.make("down", "VOLUMES=1")


@pytest.fixture
def manager(stack: ComposeStack) -> Manager:
    return Manager(stack.url, stack.log_in())
