"""The stack as it comes up: a customer through the queue, the console's sign-in page, and a second `make up`."""

import os
import subprocess
from pathlib import Path

import requests

from deploy.local.services import ROOT
from tests.containers.compose_stack import SCALE, ComposeStack
from tests.sales_manager import Manager
from tests.waiting import wait_until


def test_a_customer_is_provisioned_and_gets_a_mail(stack: ComposeStack, manager: Manager) -> None:
    answer = manager.create()
    assert (answer.status_code, answer.json()["mode"]) == (202, "async")
    manager.wait_for(answer.json()["request_id"], "provisioned")
    look = "import os; print(len(os.listdir('.data/mail')))"
    wait_until(lambda: int(stack.inside("worker", look)) > 0, 10, step=0.5, what="a mail in the volume")


def test_the_admin_ui_answers(stack: ComposeStack) -> None:
    answer = requests.get(f"{stack.url}/login", timeout=5)
    assert answer.status_code == 200
    assert "Sign in" in answer.text


def test_up_again_changes_nothing_and_says_where_it_is(stack: ComposeStack) -> None:
    before = sorted(stack.containers("api"))
    lines = stack.make("up", f"ARGS={SCALE}")
    assert sorted(stack.containers("api")) == before
    for word in (f"API       {stack.url}", f"Admin UI  {stack.url}/admin", "Admin     admin@example.com"):
        assert word in lines
    assert f"Password  {(stack.secrets / 'admin_password').read_text()}" in lines


def test_the_line_that_up_prints_creates_a_customer(stack: ComposeStack) -> None:
    lines = stack.make("up", f"ARGS={SCALE}").splitlines()
    line = next(line for line in lines if line.startswith("curl "))
    token = line.partition("Bearer ")[2].partition("'")[0]
    assert Manager(stack.url, token).create().status_code == 202


def test_a_second_api_stands_beside_the_first(stack: ComposeStack, manager: Manager) -> None:
    def answered() -> list[float]:
        count = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000/metrics').read().decode())"
        pages = [stack.docker("exec", container, "python", "-c", count) for container in stack.containers("api")]
        name = 'tripwire_http_answers_total{method="GET",route="/docs"'
        return [sum(float(line.split()[1]) for line in page.splitlines() if line.startswith(name)) for page in pages]

    before = answered()
    for _ in range(20):
        assert requests.get(f"{stack.url}/docs", timeout=5).status_code == 200
    assert [after - earlier for after, earlier in zip(answered(), before, strict=True)] == [10, 10]
    assert len({process["host"] for process in manager.call("GET", "/api/admin/system/mode").json()["processes"]}) == 2


def test_a_database_that_was_made_half_way_is_made_whole(stack: ComposeStack) -> None:
    stack.make("down")
    stack.compose("up", "--detach", "--wait", "postgres")
    for statement in ("DROP DATABASE tripwire WITH (FORCE)", "DROP ROLE tripwire"):
        stack.compose("exec", "--no-TTY", "postgres", "psql", "--username=postgres", "--command", statement)
    stack.make("up", f"ARGS={SCALE}")
    manager = Manager(stack.url, stack.log_in())
    manager.wait_for(manager.create().json()["request_id"], "provisioned")


def test_postgresql_logs_nothing_of_what_it_refuses(stack: ComposeStack) -> None:
    marker = "anastasia@example.com"
    refused = f"SELECT '{marker}'::integer"
    stack.compose("exec", "--no-TTY", "postgres", "sh", "-c", f'psql --username=postgres --command "{refused}" || true')
    log = stack.compose("logs", "postgres")
    assert "ready to accept connections" in log
    assert marker not in log


def test_a_password_that_was_given_is_named_and_not_printed(tmp_path: Path) -> None:
    """Without an engine: of the files that `make up` begins with."""
    make = [str(ROOT / "deploy/compose/make_secrets.sh"), str(tmp_path)]
    subprocess.run(make, env={"PATH": os.environ["PATH"], "ADMIN_PASSWORD": "given"}, check=True)
    assert (tmp_path / "admin_password").read_text() == "given"
    assert (tmp_path / ".admin_password_was_given").is_file()
    subprocess.run(make, env={"PATH": os.environ["PATH"]}, check=True)
    assert (tmp_path / "admin_password").read_text() == "given"
