"""Fetches what the pages use of others and puts it where the admin UI serves it from: `python build_assets.py`.

The versions and their hashes stand in package-lock.json; nothing of it is committed. It needs npm; where there is none
on PATH, it takes npm from a wheel into a folder that is gone afterwards. It runs with any Python and its library alone,
so that an image's build stage can run it too: `python build_assets.py copy node_modules`, where npm ran in another
stage. `python build_assets.py lock` renews package-lock.json.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENDOR = HERE / "tripwire_admin_ui" / "static" / "vendor"
NPM_FROM_WHEEL = ROOT / "requirements" / "assets.txt"
FONT = "@fontsource-variable/inter"
# Latin, and Cyrillic for names of customers; a browser fetches only what a page's letters need.
SUBSETS = ("inter-latin-wght-normal", "inter-cyrillic-wght-normal", "inter-cyrillic-ext-wght-normal")
FILES = {
    "htmx.js": "htmx.org/dist/htmx.esm.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
    "uplot.js": "uplot/dist/uPlot.iife.min.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "uplot.LICENSE": "uplot/LICENSE",
    "inter.LICENSE": f"{FONT}/LICENSE",
    **{f"{subset}.woff2": f"{FONT}/files/{subset}.woff2" for subset in SUBSETS},
}
NPM_LIMIT = 300  # seconds; a first download over a slow line
OLDEST_NPM = 7  # reads this lock file's format


def build() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, work)
        # No package's own scripts run, and npm compares every file with the lock's hash.
        _run([_npm(work), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], work)
        _copy(work / "node_modules")


def lock() -> None:
    """Renews the lock file; download addresses stay out of it, the hashes are what counts."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copy(HERE / "package.json", work)
        _run([_npm(work), "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], work)
        document = json.loads((work / "package-lock.json").read_text())
    for package in document["packages"].values():
        for unwanted in ("resolved", "funding"):
            package.pop(unwanted, None)
    (HERE / "package-lock.json").write_text(json.dumps(document, indent=2) + "\n")


def _copy(modules: Path) -> None:
    """Replaces the vendor folder as a whole, so that no file of an older version stays."""
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, source in FILES.items():
        shutil.copyfile(modules / source, fresh / name)
    (fresh / "inter.css").write_text(_font_faces((modules / FONT / "index.css").read_text()))
    hashes = {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(fresh.iterdir())}
    (fresh / "manifest.json").write_text(json.dumps(hashes, indent=2) + "\n")
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


def _font_faces(sheet: str) -> str:
    faces = [
        face for face in re.findall(r"@font-face \{.*?\}", sheet, re.S) if any(one + "." in face for one in SUBSETS)
    ]
    if len(faces) != len(SUBSETS):
        raise SystemExit("The font's style sheet is not as expected.")
    return "\n".join(faces).replace("./files/", "./") + "\n"


def _npm(work: Path) -> str:
    found = shutil.which("npm")
    if found and _version(found) >= OLDEST_NPM:
        return found
    print("No npm on PATH: taking it from a wheel for this once.", flush=True)
    tools = work / "tools"
    venv.create(tools, with_pip=True)
    pip = [str(tools / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--require-hashes", "-r", str(NPM_FROM_WHEEL)], work)
    os.environ["PATH"] = f"{tools / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"  # npm starts `node` by its name
    return str(tools / "bin" / "npm")


def _version(npm: str) -> int:
    """The major version; 0 where it does not run."""
    try:
        answer = subprocess.run([npm, "--version"], capture_output=True, text=True, timeout=60, check=True)
        return int(answer.stdout.split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0


def _run(command: list[str], folder: Path) -> None:
    try:
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=NPM_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise SystemExit(f"{Path(command[0]).name} did not finish within {NPM_LIMIT} s.") from None
    if answer.returncode:
        raise SystemExit(f"{Path(command[0]).name} failed:\n{answer.stdout}{answer.stderr}".rstrip())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["lock"]:
            lock()
        case ["copy", modules]:
            _copy(Path(modules))
        case _:
            build()
