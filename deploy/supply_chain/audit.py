"""`python -m deploy.supply_chain.audit PIP_AUDIT`: known holes in what the images hold, by the locks.

pip-audit asks a service on the network. Where that cannot be reached, or knows none of the packages (a mirror without
it), this is said and is no failure: status 0. Status 1: there are holes.
"""

import json
import subprocess
import sys
from typing import Any

from deploy.supply_chain.locks import IMAGES, lock_of

_LIMIT = 300.0  # seconds for each lock


def look(tool: str, image: str) -> list[dict[str, Any]] | None:
    """The packages that the service knew, each with its `vulns`; None where it could not be asked."""
    command = [tool, "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    try:
        answer = subprocess.run(
            [*command, "--requirement", str(lock_of(image))],
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            check=False,
        )
        packages: list[dict[str, Any]] = json.loads(answer.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return [package for package in packages if "skip_reason" not in package]


def main(arguments: list[str]) -> int:
    status = 0
    for image in IMAGES:
        known = look(arguments[0], image)
        if not known:
            print(f"{image}: skipped, pip-audit's service cannot be reached from here or knows none of the packages.")
            continue
        holes = [
            f"{image}: {package['name']} {package['version']}: {hole['id']}, "
            f"mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
            for package in known
            for hole in package["vulns"]
        ]
        print("\n".join(holes) or f"{image}: no known hole in {len(known)} packages.")
        status |= bool(holes)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
