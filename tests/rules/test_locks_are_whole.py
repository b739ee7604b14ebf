"""What is installed is locked: every version with hashes, no address of any registry, nothing missing."""

import re
import tomllib
from pathlib import Path

import pytest

from deploy.local.services import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PACKAGES = ("shared", "services/api", "services/worker", "services/admin-ui")


def locked(lock: Path) -> dict[str, str]:
    """Each name with all that is said about it."""
    text = re.sub(r"\\\n", " ", lock.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return {re.split(r"[=\[ ;]", line)[0].lower(): line for line in lines}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_version_is_exact_and_has_hashes_and_no_address(lock: Path) -> None:
    assert "://" not in lock.read_text(encoding="utf-8")
    assert locked(lock)
    for line in locked(lock).values():
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.+!-]+ .*--hash=sha256:[0-9a-f]{64}", line), line


def test_everything_that_the_packages_ask_for_is_in_the_lock_of_make_run() -> None:
    asked = (ROOT / "requirements" / "run.in").read_text(encoding="utf-8").splitlines()
    for folder in PACKAGES:
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        asked += project["dependencies"]
        asked += [line for extra in project.get("optional-dependencies", {}).values() for line in extra]
    names = {re.split(r"[\[=<>;# ]", line)[0].lower().replace("_", "-") for line in asked} - {"", "tripwire-shared"}
    assert len(names) > 20
    assert names <= set(locked(ROOT / "requirements" / "run.txt")), "run `make lock`"
