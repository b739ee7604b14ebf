"""What the images hold of others, as the locks say it: the source of bills of materials, licences and the audit."""

import json
import re
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ("api", "worker", "admin-ui")
_NPM_LOCK = ROOT / "services" / "admin-ui" / "package-lock.json"


@dataclass(frozen=True)
class NpmPackage:
    name: str
    version: str
    licence: str
    sha512: str


def lock_of(image: str) -> Path:
    return ROOT / "requirements" / f"{image}.txt"


def python_packages(image: str) -> dict[str, str]:
    """Name and version of each locked package."""
    text = lock_of(image).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][\w.-]*)(?:\[[\w,-]+\])?==([\w.+!-]+)", text, re.MULTILINE))


def npm_packages() -> list[NpmPackage]:
    """What the admin UI's image serves to browsers."""
    packages = json.loads(_NPM_LOCK.read_text(encoding="utf-8"))["packages"]
    return [
        NpmPackage(path.removeprefix("node_modules/"), about["version"], about["license"], _hex(about["integrity"]))
        for path, about in packages.items()
        if path
    ]


def _hex(integrity: str) -> str:
    return b64decode(integrity.removeprefix("sha512-")).hex()
