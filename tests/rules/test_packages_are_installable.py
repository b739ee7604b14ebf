"""The four packages as wheels: whole, and each with the dependencies that it really has."""

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from deploy.local.services import ROOT

PACKAGES = {
    "shared": "tripwire_shared",
    "services/api": "tripwire_api",
    "services/worker": "tripwire_worker",
    "services/admin-ui": "tripwire_admin_ui",
}
EXTRAS: dict[str, frozenset[str]] = {
    "services/api": frozenset({"data", "serving", "tracing"}),
    "services/worker": frozenset({"data", "tracing"}),
    "services/admin-ui": frozenset({"serving"}),
}
DATABASE_DRIVERS = {"psycopg2-binary", "psycopg2", "psycopg", "sqlalchemy", "aiosql", "yoyo-migrations"}
# What comes with another by that one's own promise: Flask's API hands out their objects.
PART_OF = {"werkzeug": "flask", "jinja2": "flask"}
# One namespace of many packages: whichever owns it here, the SDK and its exporter bring it.
TRACING = {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"}
# What no module of the package itself imports, and what makes optional parts of others work.
NOT_IMPORTED = {"setproctitle"}
# `tripwire_shared.keys`, the one module of `shared` with a dependency that the admin UI uses.
ADMIN_UI_OF_SHARED = {"cryptography"}
# rq-dashboard imports it and does not say so.
ADMIN_UI_OF_RQ_DASHBOARD = {"six"}
NO_SOURCE = ignore_patterns("__pycache__", "*.egg-info", "build")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each package's wheel, built without the network from a copy, so that nothing of an earlier build gets in."""
    made = {}
    for folder in PACKAGES:
        work = tmp_path_factory.mktemp("package")
        copytree(ROOT / folder, work / "source", ignore=NO_SOURCE)
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        ended = subprocess.run(
            [*build, "--wheel-dir", work, work / "source"], capture_output=True, text=True, timeout=50, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        [made[folder]] = work.glob("*.whl")
    return made


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(wheel: Path) -> Iterator[tuple[str, frozenset[str], str | None]]:
    """Name, the extras that are asked of it, and the extra of this package that it belongs to."""
    for line in metadata(wheel).get_all("Requires-Dist", []):
        found = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", line)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        assert found
        yield plain(found[1]), frozenset((found[2] or "").split(",")) - {""}, extra[1] if extra else None


def imported(package: Path) -> set[str]:
    """The distributions whose modules the package's source names."""
    owners, names = packages_distributions(), set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return {plain(owners[name][0]) for name in names - sys.stdlib_module_names if name in owners}


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_wheel_holds_every_file_of_its_package(wheels: dict[str, Path], folder: str) -> None:
    source = ROOT / folder / PACKAGES[folder]
    there = {str(path.relative_to(source.parent)) for path in source.rglob("*") if path.is_file()}
    there = {name for name in there if "__pycache__" not in name}
    with zipfile.ZipFile(wheels[folder]) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == there
    kinds = {Path(name).suffix for name in packed}
    assert f"{PACKAGES[folder]}/py.typed" in packed
    assert kinds >= {"shared": {".sql", ".html", ".txt"}, "services/worker": {".sql"}}.get(folder, {".html", ".css"})


@pytest.mark.parametrize("folder", EXTRAS)
def test_a_service_depends_on_shared_alone_and_with_its_extras(wheels: dict[str, Path], folder: str) -> None:
    ours = [(name, asked) for name, asked, _ in requirements(wheels[folder]) if name.startswith("tripwire")]
    assert ours == [("tripwire-shared", EXTRAS[folder])]


def test_the_admin_ui_gets_no_database_driver(wheels: dict[str, Path]) -> None:
    of_shared = {name for name, _, extra in requirements(wheels["shared"]) if extra is None}
    own = {name for name, _, _ in requirements(wheels["services/admin-ui"])}
    assert not (of_shared | own) & DATABASE_DRIVERS
    assert {name for name, _, extra in requirements(wheels["shared"]) if extra == "data"} & DATABASE_DRIVERS


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_package_declares_what_it_imports_and_nothing_else(wheels: dict[str, Path], folder: str) -> None:
    own = {name for name, _, extra in requirements(wheels[folder]) if not name.startswith("tripwire")}
    used = {name for name in imported(ROOT / folder / PACKAGES[folder]) if not name.startswith("tripwire")}
    of_shared = {name for name, _, extra in requirements(wheels["shared"]) if extra in {None, *EXTRAS.get(folder, ())}}
    used = {name if name in own else PART_OF.get(name, name) for name in used if not name.startswith("opentelemetry")}
    assert used <= own | of_shared
    needless = own - used - NOT_IMPORTED
    assert needless <= {
        "services/admin-ui": ADMIN_UI_OF_SHARED | ADMIN_UI_OF_RQ_DASHBOARD,
        # hiredis and packaging are imported by redis and gunicorn.
        "shared": {"typer", "rich", "hiredis", "packaging"} | TRACING,
    }.get(folder, set())


@pytest.mark.parametrize("folder", PACKAGES)
def test_every_package_names_the_pythons_it_is_for(wheels: dict[str, Path], folder: str) -> None:
    assert metadata(wheels[folder])["Requires-Python"] == ">=3.11"
