"""The API in this process, on real servers: quick to ask, and its parts at hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.resources import Resources, build_resources
from tests.waiting import wait_until
from tripwire_api.app import create_app
from tripwire_shared.answers.vocabulary import Mode, Role
from tripwire_shared.settings import Settings
from tripwire_shared.staff.staff import Staff

PASSWORD = "a long enough password"


@dataclass
class Caller:
    """Somebody who asks the API with a bearer token (or without one)."""

    client: FlaskClient
    token: str | None = None
    staff: Staff | None = None

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.client.open(path, method=method, headers={**headers, **more.pop("headers", {})}, **more)

    @property
    def id(self) -> str:
        assert self.staff is not None
        return str(self.staff.id)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.ask("GET", path, **more)

    def post(self, path: str, **more: Any) -> TestResponse:
        return self.ask("POST", path, **more)


@dataclass
class ApiUnderTest:
    client: FlaskClient
    resources: Resources

    @property
    def nobody(self) -> Caller:
        return Caller(self.client)

    def member(self, email: str, role: Role = Role.SALES, *, password: str | None = None) -> Caller:
        """A new account with a token of its own; give a password only where it is signed in with (argon2 is slow)."""
        staff = self.resources.staff.create(email, email.partition("@")[0].title(), role, password, None)
        return Caller(self.client, self.resources.tokens.make(staff.id, "of a test").token, staff)


@pytest.fixture
def api_for(settings_for: Callable[..., Settings]) -> Iterator[Callable[..., ApiUnderTest]]:
    """Builds an API with other settings: `api_for(redis_url=…)`."""
    built: list[Resources] = []

    def build(**overrides: Any) -> ApiUnderTest:
        resources = build_resources(settings_for(**overrides), service="api")
        app = create_app(resources.parts)
        resources.start()
        built.append(resources)
        return ApiUnderTest(app.test_client(), resources)

    yield build
    for resources in built:
        resources.stop()


@pytest.fixture
def api(api_for: Callable[..., ApiUnderTest]) -> ApiUnderTest:
    return api_for()


@pytest.fixture
def admin(api: ApiUnderTest) -> Caller:
    return api.member("boss@example.com", Role.ADMIN)


@pytest.fixture
def manager(api: ApiUnderTest) -> Caller:
    return api.member("manager@example.com")


CREATE = "/api/admin/tripwire/users"


def sell(caller: Caller, email: str = "anna@example.com", **fields: Any) -> dict[str, Any]:
    """A customer, provisioned at once (in the direct mode, which `direct` switches on)."""
    answer = caller.post(CREATE, json={"email": email, "full_name": "Anna K.", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def take_in(caller: Caller, email: str = "anna@example.com", **fields: Any) -> str:
    """A request that waits: its id. No worker runs here."""
    answer = caller.post(CREATE, json={"email": email, "full_name": "Anna K.", **fields})
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["request_id"])


@pytest.fixture
def direct(api: ApiUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The direct mode, obeyed by this process; welcome mails go into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    store = api.resources.mode_store
    store.switch(Mode.SYNC_DIRECT, reason=None, changed_by="a test", staff_id=None, expected_version=None)
    wait_until(lambda: api.resources.mode_cache.current().mode is Mode.SYNC_DIRECT)


def sql(api: ApiUnderTest, query: str, *values: Any) -> list[Any]:
    """What `query` gives, as named tuples."""
    with api.resources.database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall()) if cursor.description else []


def assert_problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """A problem document as RFC 9457 and the contract want it, with nothing in it that is for us alone."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json", answer.mimetype
    document: dict[str, Any] = answer.get_json()
    assert {"type", "title", "status", "detail", "instance"} <= set(document)
    assert document["status"] == status
    assert answer.headers["X-Request-ID"]
    for word in ("Traceback", "psycopg2", "SELECT ", "INSERT "):
        assert word not in answer.text
    return document
