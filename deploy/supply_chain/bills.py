"""`python -m deploy.supply_chain.bills CYCLONEDX_PY FOLDER`: a bill of materials (CycloneDX JSON) for each image.

The Python packages with their hashes come from cyclonedx-py, which reads the image's lock; licences, and what the
admin UI takes from npm, are added here. The same locks give the same bytes. What the base image brings (Debian, Python)
is not in it: its publisher has a bill of its own.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from deploy.supply_chain.licences import licence_of
from deploy.supply_chain.locks import IMAGES, NpmPackage, lock_of, npm_packages

_LIMIT = 120.0  # seconds; it takes two, on a busy machine


def bill(tool: str, image: str) -> dict[str, Any]:
    """Raises CalledProcessError where the tool refuses the lock."""
    command = [tool, "requirements", "--output-reproducible", "--short-PURLs", "--no-validate", str(lock_of(image))]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=True)
    document: dict[str, Any] = json.loads(answer.stdout)
    for component in document["components"]:
        del component["description"]  # the lock's line
        component["licenses"] = [{"license": {"name": licence_of(component["name"])}}]
        component["bom-ref"] = component["purl"]
    if image == "admin-ui":
        document["components"] += [_component(package) for package in npm_packages()]
    about = {"type": "application", "name": f"tripwire-{image}", "bom-ref": f"tripwire-{image}"}
    document["metadata"] = {**document.get("metadata", {}), "component": about}
    references = [component["bom-ref"] for component in document["components"]]
    document["dependencies"] = [{"ref": about["bom-ref"], "dependsOn": sorted(references)}]
    return document


def _component(package: NpmPackage) -> dict[str, Any]:
    purl = f"pkg:npm/{package.name.replace('@', '%40')}@{package.version}"
    return {
        "type": "library",
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "bom-ref": purl,
        "hashes": [{"alg": "SHA-512", "content": package.sha512}],
        "licenses": [{"license": {"name": package.licence}}],
    }


def main(arguments: list[str]) -> int:
    tool, folder = arguments[0], Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        document = bill(tool, image)
        file = folder / f"{image}.cdx.json"
        file.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{file}: {len(document['components'])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
