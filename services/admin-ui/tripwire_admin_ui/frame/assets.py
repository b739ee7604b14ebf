"""The static files, under a path that holds a digest of them all: a browser may keep them for good.

The digest is in the path, not behind a question mark, so that what a script or a style sheet names relatively (another
module, a font) carries it too. What comes of others is fetched by `make assets` and checked here against its manifest.
"""

import json
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, send_from_directory, url_for

STATIC = Path(__file__).parents[1] / "static"
FOR_GOOD = "public, max-age=31536000, immutable"


class AssetsMissing(Exception):
    """What `make assets` fetches is not there, or is not what it fetched."""

    def __init__(self) -> None:
        super().__init__("The files of others that the pages use are missing or altered: run `make assets`.")


class Assets:
    """Reads every static file once; raises AssetsMissing."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        hashes = {
            path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        _check_vendor(folder / "vendor", hashes)
        self.version = sha256(json.dumps(hashes).encode()).hexdigest()[:12]

    def url(self, name: str) -> str:
        return url_for("static", version=self.version, name=name)

    def install(self, app: Flask) -> None:
        app.add_template_global(self.url, "asset")
        app.add_url_rule("/static/<version>/<path:name>", "static", self._serve)

    def _serve(self, version: str, name: str) -> Response:
        response = send_from_directory(self._folder, name)
        # Another version: a page from before a deploy, or of a neighbour after it. It gets ours, and asks again then.
        response.headers["Cache-Control"] = FOR_GOOD if version == self.version else "no-cache"
        return response


def _check_vendor(vendor: Path, hashes: dict[str, str]) -> None:
    try:
        manifest = json.loads((vendor / "manifest.json").read_text())
    except (OSError, ValueError):
        raise AssetsMissing from None
    if any(hashes.get(f"vendor/{name}") != wanted for name, wanted in manifest.items()):
        raise AssetsMissing
