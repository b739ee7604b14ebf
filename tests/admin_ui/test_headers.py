"""The headers that keep a page from doing what it should not."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from tests.admin_ui.conftest import HEALTH, Visitor
from tripwire_admin_ui.frame.assets import FOR_GOOD, Assets, AssetsMissing

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", ["/login", "/admin", HEALTH, "/nothing", "/static/any/theme.css", "/healthz"])
def test_every_answer_has_them(admin: Visitor, path: str) -> None:
    headers = admin.read(path).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Request-ID"]


def test_no_page_is_kept_by_the_browser(admin: Visitor) -> None:
    assert admin.read(HEALTH).headers["Cache-Control"] == "no-store"


def test_no_page_has_inline_script_or_style(admin: Visitor) -> None:
    for path in ("/admin", HEALTH, f"{HEALTH}?switch=sync_direct"):
        page = admin.read(path).text
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", page), path


def test_over_real_http_all_files_of_a_page_are_there_and_kept_for_good(served: str) -> None:
    page = requests.get(f"{served}/login", timeout=5)
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(names) >= 8
    wanted = set(names)
    seen: set[str] = set()
    while wanted - seen:  # also what they name themselves: modules and fonts
        name = (wanted - seen).pop()
        seen.add(name)
        answer = requests.get(served + name, timeout=5)
        assert answer.status_code == 200, name
        assert answer.headers["Cache-Control"] == FOR_GOOD, name
        if name.endswith((".js", ".css")) and "/vendor/htmx" not in name:
            named = re.findall(r'(?:from|import) "(\./[^"]+)"|url\((\./[^)]+)\)', answer.text)
            wanted |= {urljoin(name, module or font) for module, font in named}
    assert any(name.endswith("vendor/htmx.js") for name in seen)
    assert any(name.endswith(".woff2") for name in seen)


def test_a_page_of_another_version_gets_its_files_but_does_not_keep_them(visitor: Visitor) -> None:
    answer = visitor.read("/static/older/theme.css")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_files_outside_the_static_folder_are_not_served(visitor: Visitor) -> None:
    for name in ("../app.py", "%2e%2e/app.py", "vendor/../../app.py"):
        assert visitor.read(f"/static/any/{name}").status_code == 404


def test_without_the_files_of_others_the_app_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(AssetsMissing, match="make assets"):
        Assets(tmp_path)
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "manifest.json").write_text('{"htmx.js": "another hash"}')
    (tmp_path / "vendor" / "htmx.js").write_text("altered")
    with pytest.raises(AssetsMissing):
        Assets(tmp_path)
