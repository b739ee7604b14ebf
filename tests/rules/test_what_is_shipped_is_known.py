"""Licences and bills of materials say what the locks say; signing and the audit say when they cannot."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from deploy.supply_chain import audit, bills
from deploy.supply_chain.licences import DOCUMENT, document
from deploy.supply_chain.locks import IMAGES, ROOT, npm_packages, python_packages

# What obliges whoever uses a service to get its source, or cannot be told.
REFUSED = re.compile(r"\b(A?GPL|SSPL|BUSL|unknown|not installed)", re.IGNORECASE)


def a_tool(folder: Path, prints: object) -> str:
    """A program that prints this."""
    tool = folder / "tool"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(prints)}\nEND\n", encoding="utf-8")
    tool.chmod(0o755)
    return str(tool)


def test_the_page_of_licences_is_what_the_packages_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `make licences`"


def test_every_package_of_an_image_has_a_licence_that_we_may_ship() -> None:
    lines = [line for line in document().splitlines() if line.startswith("| ")][1:]
    assert len(lines) == len({name for image in IMAGES for name in python_packages(image)}) + len(npm_packages()) > 50
    assert [line for line in lines if REFUSED.search(line)] == []


def test_a_bill_names_the_licence_and_hashes_of_everything_and_what_comes_from_npm(tmp_path: Path) -> None:
    found = {"name": "flask", "version": "1", "purl": "pkg:pypi/flask@1", "bom-ref": "L1", "description": "a line"}
    made = bills.bill(a_tool(tmp_path, {"components": [found]}), "admin-ui")
    flask, *npm = made["components"]
    assert flask["licenses"] == [{"license": {"name": "BSD-3-Clause"}}]
    assert {component["purl"] for component in npm} == {
        f"pkg:npm/{package.name.replace('@', '%40')}@{package.version}" for package in npm_packages()
    }
    assert all(re.fullmatch("[0-9a-f]{128}", component["hashes"][0]["content"]) for component in npm)
    assert made["metadata"]["component"]["name"] == "tripwire-admin-ui"


@pytest.mark.parametrize(
    ("package", "status", "line"),
    [
        ({"vulns": []}, 0, "no known hole in 1 packages."),
        ({"vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}, 1, "flask 1: CVE-1, mended in 2"),
        ({"skip_reason": "not found"}, 0, "skipped, pip-audit's service cannot be reached"),
    ],
)
def test_the_audit_says_what_it_knows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], package: dict[str, object], status: int, line: str
) -> None:
    found = {"dependencies": [{"name": "flask", "version": "1", **package}]}
    assert audit.main([a_tool(tmp_path, found)]) == status
    assert line in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ([], {}, "Which images?"),
        (["r/tripwire-api@sha256:0"], {}, "Nothing was signed: no key is given."),
        (["r/tripwire-api@sha256:0"], {"COSIGN_KEY": "k"}, "Nothing was signed: cosign is not installed here."),
    ],
)
def test_signing_says_what_is_missing(arguments: list[str], variables: dict[str, str], said: str) -> None:
    answer = subprocess.run(
        ["/bin/sh", str(ROOT / "deploy" / "supply_chain" / "sign.sh"), *arguments],
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if Path("/usr/bin/cosign").exists() and "not installed" in said:
        pytest.skip("cosign is installed here.")
    assert answer.returncode == 1
    assert answer.stderr.startswith(said)
