"""Copies of a database and their way back, as `make backup` and `make restore` do them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from deploy.local.services import ROOT


def run(*arguments: str, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -m deploy.backup` with these variables and none of the caller's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TRIPWIRE_PG_BIN") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "deploy.backup", *arguments],
        check=False,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def back_up(database_url: str, folder: Path, **variables: str) -> Path:
    """A copy, made as `make backup` makes it; the path that it says."""
    answer = run("backup", DATABASE_URL=database_url, BACKUP_FOLDER=str(folder), **variables)
    assert answer.returncode == 0, answer.stderr
    said = re.search(
        r"^(.*\.dump): [\d.]+ k?B in .* s, with \d+ requests and \d+ customers", answer.stdout, re.MULTILINE
    )
    assert said, answer.stdout
    return Path(said.group(1))


def restore(file: Path, database_url: str) -> str:
    answer = run("restore", str(file), DATABASE_URL=database_url)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def refusal(*arguments: str, **variables: str) -> str:
    """The one line of a command that fails."""
    answer = run(*arguments, **variables)
    assert answer.returncode == 1
    [line] = answer.stderr.splitlines()
    return line
