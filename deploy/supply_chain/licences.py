"""`python -m deploy.supply_chain.licences`: writes docs/licences.md, what others' parts of the images are under.

Names come from the locks, licences from the metadata of the installed packages (`make run` installs all of them).
"""

import re
import sys
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

from deploy.supply_chain.locks import IMAGES, ROOT, npm_packages, python_packages

DOCUMENT = ROOT / "docs" / "licences.md"
# Of those that only some Pythons need.
_SAID_ELSEWHERE = {"async-timeout": "Apache-2.0"}
_HEAD = """# Licences of what the images hold

Written by `make licences` from the locks and the packages' own metadata; a test compares. The base images (Python on
Debian, PostgreSQL, Valkey) come with their own, under `/usr/share/doc` in each.

| package | licence | in |
|---|---|---|
"""


def document() -> str:
    """The whole page."""
    images: dict[str, list[str]] = {}
    for image in IMAGES:
        for name in python_packages(image):
            images.setdefault(name, []).append(image)
    lines = [f"| {name} | {licence_of(name)} | {', '.join(images[name])} |" for name in sorted(images)]
    lines += [f"| {package.name} (npm) | {package.licence} | admin-ui |" for package in npm_packages()]
    return _HEAD + "\n".join(lines) + "\n"


def licence_of(name: str) -> str:
    """The licence as an SPDX expression where the package says one, else in its own words, in one line.

    A package for other systems than this one is not installed: "not installed here".
    """
    if name in _SAID_ELSEWHERE:
        return _SAID_ELSEWHERE[name]
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return "not installed here"
    said = _first(about, "License-Expression")
    classifiers = about.get_all("Classifier") or []
    classified = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    free_text = _first(about, "License")
    if not said and free_text and "\n" not in free_text and len(free_text) < 60:
        said = free_text
    if not said:
        said = ", ".join(line for line in classified if line != "OSI Approved")
    return re.sub(r"[|\s]+", " ", said) or "unknown"


def _first(about: PackageMetadata, field: str) -> str:
    return str((about.get_all(field) or [""])[0]).strip()


def main() -> int:
    DOCUMENT.write_text(document(), encoding="utf-8")
    print(f"Written: {Path(DOCUMENT).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
