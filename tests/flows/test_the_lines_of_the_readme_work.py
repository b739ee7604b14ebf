"""The day's work in the README, run as it stands: each line gets the status that the README says."""

import re
import subprocess
from pathlib import Path

from deploy.local.services import ROOT
from tests.stack import ADMIN_PASSWORD, Stack

BLOCK = re.compile(r"^## A day's work$.*?^```sh$\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Says each status on standard error; what the lines read from the answers stays on standard output.
CURL = """set -eu
curl() { command curl --silent --show-error --max-time 20 --write-out '%{stderr}%{http_code}\\n' "$@"; }
"""


def test_each_line_gets_the_status_that_stands_over_it(stack: Stack, tmp_path: Path) -> None:
    stack.start_api()
    stack.start_worker()
    found = BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found
    lines = (
        found[1].replace("http://127.0.0.1:8000", stack.api_url).replace("PASSWORD='…'", f"PASSWORD='{ADMIN_PASSWORD}'")
    )
    script = tmp_path / "day.sh"
    script.write_text(CURL + lines, encoding="utf-8")

    ended = subprocess.run(["bash", script], capture_output=True, text=True, timeout=50, check=False)

    print(ended.stdout)
    assert ended.returncode == 0, ended.stderr
    promised = re.findall(r"^# (\d{3}):", lines, re.MULTILINE)
    assert ended.stderr.split() == promised
    assert len(promised) > 10
    assert '"status":"provisioned"' in ended.stdout
