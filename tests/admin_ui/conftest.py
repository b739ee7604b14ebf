"""The real admin UI in front of the stand-in API: called directly, or served over HTTP."""

import re
import threading
from collections.abc import Iterator
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from tests.admin_ui.stand_in_api import PASSWORD, StandInApi
from tests.compiled_templates import with_compiled_templates
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.app import create_app
from tripwire_shared.settings import load_settings

ADMIN = "dana@example.com"
SALES = "timur@example.com"
HEALTH = "/admin/system-health"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def csrf_token_in(page: str) -> str:
    """What the first form of this page has to send along."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "no form on this page"
    return unescape(found[1])


class Visitor:
    """A person with a browser without script: reads pages, fills the forms that stand in them."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def read(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=headers)

    def csrf_token(self, path: str) -> str:
        return csrf_token_in(self.read(path).text)

    def sign_in(self, email: str = ADMIN, password: str = PASSWORD, wanted: str = "", **headers: str) -> TestResponse:
        form = {"email": email, "password": password, "next": wanted, "csrf_token": self.csrf_token("/login")}
        return self.client.post("/login", data=form, headers=headers)

    def switch(self, mode: str, version: int | str, reason: str = "") -> TestResponse:
        form = {"mode": mode, "version": str(version), "reason": reason, "csrf_token": self.csrf_token(HEALTH)}
        return self.client.post(HEALTH, data=form)

    def send(self, path: str, form_on: str, **fields: str) -> TestResponse:
        """Sends a form of the page `form_on`."""
        return self.client.post(path, data={**fields, "csrf_token": self.csrf_token(form_on)})

    def sign_out(self) -> TestResponse:
        return self.client.post("/logout", data={"csrf_token": self.csrf_token("/admin")})


@pytest.fixture
def api() -> Iterator[StandInApi]:
    stand_in = StandInApi()
    stand_in.start()
    yield stand_in
    stand_in.stop()
    assert stand_in.wrong == []


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_app(api: StandInApi, clock: Clock, **variables: str) -> Flask:
    settings = load_settings(environ={"SECRET_KEY": "a-secret-key-for-tests-only-0123456789", **variables}, dotenv=None)
    return with_compiled_templates(create_app(settings, ApiClient(api.url), clock))


@pytest.fixture
def app(api: StandInApi, clock: Clock) -> Flask:
    return make_app(api, clock)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Nobody yet."""
    return Visitor(app)


@pytest.fixture
def admin(app: Flask) -> Visitor:
    """Signed in as an admin."""
    person = Visitor(app)
    assert person.sign_in(ADMIN).status_code == 303
    return person


@pytest.fixture
def sales(app: Flask) -> Visitor:
    """Signed in as a sales manager."""
    person = Visitor(app)
    assert person.sign_in(SALES).status_code == 303
    return person


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """The address of the admin UI over real HTTP."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=5)
    server.server_close()
