"""A real Chromium in front of the real admin UI and the stand-in API; skipped, with a line, where there is none."""

import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from tests.admin_ui.conftest import csrf_token_in
from tests.admin_ui.stand_in_api import PASSWORD, StandInApi
from tests.compiled_templates import with_compiled_templates
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.app import create_app
from tripwire_shared.settings import load_settings

HEALTH = "/admin/system-health"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no browser test: neither chromium nor google-chrome is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser test: playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def api() -> Iterator[StandInApi]:
    stand_in = StandInApi()
    stand_in.start()
    yield stand_in
    stand_in.stop()
    assert stand_in.wrong == []


@pytest.fixture
def address(api: StandInApi) -> Iterator[str]:
    """The address of the admin UI."""
    settings = load_settings(environ={"SECRET_KEY": "a-secret-key-for-tests-only-0123456789"}, dotenv=None)
    app = with_compiled_templates(create_app(settings, ApiClient(api.url)))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=5)
    server.server_close()


@pytest.fixture
def messages() -> list[str]:
    """What the browser said on its console: errors and broken policies too."""
    return []


@pytest.fixture
def page(chromium: Any, address: str, messages: list[str]) -> Iterator[Any]:
    """A page whose clock the test moves (`page.clock`), signed in as an admin; nothing is drawn yet."""
    context = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 700})
    context.set_default_timeout(15_000)
    new = context.new_page()
    new.on("console", lambda message: messages.append(message.text))
    new.on("pageerror", lambda error: messages.append(str(error)))
    new.clock.install()
    context.add_cookies(signed_in(address))
    yield new
    context.close()


@pytest.fixture
def drawn(page: Any) -> None:
    """The page stands on System Health."""
    page.goto(HEALTH)
    page.wait_for_selector("#live:not([hidden])")


def signed_in(address: str) -> list[dict[str, str]]:
    """The cookies of an admin who has just signed in. By the form's own POST, but without drawing the form: that a
    browser can use it is shown where there is no script (`test_without_script.py`) and where others sign in."""
    with requests.Session() as session:
        token = csrf_token_in(session.get(f"{address}/login", timeout=5).text)
        fields = {"email": "dana@example.com", "password": PASSWORD, "csrf_token": token}
        answer = session.post(f"{address}/login", data=fields, allow_redirects=False, timeout=5)
        assert answer.status_code == 303, answer.text
        return [{"name": cookie.name, "value": cookie.value or "", "url": address} for cookie in session.cookies]
