"""The headers that keep a page from doing what it should not."""

import re

import pytest
import requests

from tests.admin_ui.conftest import HEALTH, Visitor

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", ["/login", "/admin", HEALTH, "/nothing", "/static/tokens.css", "/healthz"])
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


def test_over_real_http_all_files_of_a_page_are_there(served: str) -> None:
    page = requests.get(f"{served}/login", timeout=5)
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(files) == 6
    for name in (*files, "/static/morph.js", "/static/times.js", "/static/switch_dialog.js"):
        assert requests.get(served + name, timeout=5).status_code == 200, name
