"""The whole system where others keep their clones: odd paths and terminals, proxies, containers with little in them."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from deploy.local.binaries import find_pg_bin
from deploy.local.services import ROOT
from tests.flows.test_make_run_brings_the_whole_system_up import answer_of, status_of_request
from tests.flows.test_the_admin_ui_shows_and_switches_the_real_system import form_fields
from tests.local_run import PLAIN, LocalRun
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(180)
ODD = 'клон o\'n 100% "q" `w`'
PASSWORD = "given-пароль-0123"
PRIVATE = ("sh", "-c", 'umask 077; exec "$@"', "sh", *PLAIN)
# What a small container may look like from inside: IPv6 alone, a user without an account, no room in /dev/shm.
CONTAINER = (
    "unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c",
    """ip link set lo up && ip address del 127.0.0.1/8 dev lo && mount -t tmpfs -o size=4k,ro none /dev/shm &&
    exec unshare --user --map-user=12345 --map-group=12345 "$@" """, "sh",
)  # fmt: skip


@pytest.fixture
def runs() -> Iterator[list[LocalRun]]:
    started: list[LocalRun] = []
    yield started
    for run in started:
        run.kill_everything()


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def copy_of_postgresql(folder: Path) -> Path:
    """The programs, with the libraries that a wheel has beside its package; gives the folder of the former."""
    installed = find_pg_bin().parent
    copy = folder / "site" / installed.parent.name / installed.name
    shutil.copytree(installed, copy, symlinks=True)
    for libraries in installed.parent.parent.glob("*.libs"):
        (folder / "site" / libraries.name).symlink_to(libraries)
    return copy / "bin"


def arguments_of(processes: list[psutil.Process]) -> str:
    lines = []
    for process in processes:
        try:
            lines.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return "\n".join(lines)


@pytest.mark.long
def test_an_odd_path_a_private_umask_an_ascii_terminal_and_a_proxy(runs: list[LocalRun], tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    programs = copy_of_postgresql(folder)  # as they are where the virtual environment is in that folder
    (folder / ".env").write_text(f"ADMIN_PASSWORD={PASSWORD}\n", encoding="utf-8")
    (tmp_path / ".netrc").write_text("default login somebody password else\n", encoding="utf-8")
    (tmp_path / ".netrc").chmod(0o600)
    nowhere = "http://127.0.0.1:1"
    environ = {
        "LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "HOME": str(tmp_path), "TMPDIR": str(tmp_path / "none"),
        "TRIPWIRE_PG_BIN": str(programs),
        "http_proxy": nowhere, "HTTPS_PROXY": nowhere, "ALL_PROXY": nowhere, "NETRC": str(tmp_path / ".netrc"),
    }  # fmt: skip
    if has_ipv6():
        environ |= {"API_HOST": "::1", "ADMIN_UI_HOST": "::"}
    runs.append(run := LocalRun(folder, PRIVATE, environ))
    run.ready()
    assert run.value("Password") == "the one in ADMIN_PASSWORD"
    if has_ipv6():
        assert run.value("API").startswith("http://[::1]:")

    accepted = answer_of(run.curl_line)
    location = f"/api/admin/tripwire/requests/{accepted['request_id']}"
    wait_until(lambda: status_of_request(run, location) == "provisioned", 10)
    with requests.Session() as browser:
        login = browser.get(run.value("Admin UI") + "/login", timeout=5)
        fields = form_fields(login.text) | {"email": run.value("Admin"), "password": PASSWORD}
        assert urlsplit(browser.post(login.url, data=fields, timeout=10).url).path == "/admin", "the API was asked"

    secrets = [file.read_text(encoding="utf-8") for file in (folder / ".data" / "secrets").iterdir()]
    token = run.curl_line.partition("Bearer ")[2].partition("'")[0]
    said, arguments = "\n".join(run.lines), arguments_of(run.processes())
    assert "tripwire_worker" in arguments
    for secret in (PASSWORD, *secrets):
        assert secret not in said
        assert secret not in arguments
    assert token not in arguments
    assert "Traceback" not in said
    assert "Logging error" not in said
    assert run.end() == 0
    assert run.processes() == []


@pytest.mark.skipif(
    shutil.which("ip") is None
    or subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode != 0,
    reason="namespaces are not permitted here",
)
@pytest.mark.long
def test_ipv6_alone_a_user_without_an_account_and_no_shared_memory(runs: list[LocalRun], tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    runs.append(run := LocalRun(tmp_path, (*CONTAINER, *PLAIN)))
    run.ready()
    assert run.value("API").startswith("http://[::1]:")
    assert "Bearer tsm_" in run.curl_line, "the API was asked, and let the admin in"
    assert run.end() == 0
    assert run.processes() == []


def test_a_path_that_cannot_work_is_said_in_one_line(tmp_path: Path) -> None:
    for character in "$:{}":
        folder = tmp_path / f"a{character}b"
        folder.mkdir()
        made = subprocess.run(
            [ROOT / "deploy/local/make_venv.sh", ".venv"], cwd=folder, capture_output=True, text=True, check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), },
        )  # fmt: skip
        assert made.returncode == 1
        assert made.stderr.startswith("The path of this clone holds one of the characters")
        assert made.stderr.count("\n") == 1
        assert list(folder.iterdir()) == []
