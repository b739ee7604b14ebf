"""`q` in lists finds what was typed, in whatever case and form, on whatever database."""

# ruff: noqa: RUF001  # letters that look alike are what it is about

from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import uuid4

import psycopg2
import pytest

from deploy.local.postgres import ROLE, PostgresServer
from tests.api.conftest import CREATE, ApiUnderTest, Caller, sql, take_in
from tests.attempts import attempt
from tests.conftest import migrate
from tripwire_shared.answers.vocabulary import Role

REQUESTS = "/api/admin/tripwire/requests"
NAMES = {
    "anna": "Анна Каренина",
    "aliya": "Әлия Қ.",
    "can": "Can İstanbullu",
    "odysseus": "Ὀδυσσεύς",
    "zoe": "Zoe\u0308 Straße",
    "percent": "Dana 100%_\\ ",
    "wide": "\uff22ek",
    "korean": "안나",
}
FOUND = {
    "анна": ["anna"],
    "АННА КАР": ["anna"],
    "әЛИЯ": ["aliya"],
    "istanbul": ["can"],
    "ISTANBUL": ["can"],
    "İSTANBUL": ["can"],
    "ὈΔΥΣΣΕΎΣ": ["odysseus"],
    "ὀδυσσεύσ": ["odysseus"],
    "ZOË": ["zoe"],
    "zoe\u0308": ["zoe"],
    "strasse": ["zoe"],
    "100%": ["percent"],
    "%_\\": ["percent"],
    "b%k": [],
    "BEK": ["wide"],
    "나": ["korean"],
    "@bücher": ["korean"],
    "@BU\u0308CHER.example": ["korean"],
    "xn--bcher": ["korean"],
    " Anna@Example.COM ": ["anna"],
    "nobody": [],
}


@pytest.fixture(params=["builtin", "C"])
def api(
    request: pytest.FixtureRequest, postgres: PostgresServer, api_for: Callable[..., ApiUnderTest]
) -> Iterator[ApiUnderTest]:
    """Once on a database that knows the case of ASCII letters alone."""
    if request.param == "builtin":
        yield api_for()
        return
    name = f"c_{uuid4().hex[:8]}"
    with closing(psycopg2.connect(postgres.superuser_url())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(
            f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER libc"
        )
    migrate(postgres.url_of(name))
    yield api_for(database_url=postgres.url_of(name))


@pytest.fixture
def filled(api: ApiUnderTest) -> Caller:
    """Half of them are provisioned, the others wait."""
    boss = api.member("boss@example.com", Role.ADMIN)
    for number, (name, full_name) in enumerate(NAMES.items()):
        domain = "bücher.example" if name == "korean" else "example.com"
        request_id = take_in(boss, f"{name}@{domain}", full_name=full_name)
        if number % 2:
            attempt(api.resources, request_id)
    return boss


def found(who: Caller, path: str, what: str, q: str) -> list[str]:
    listed = who.get(path, query_string={"q": q}).get_json()
    names = [one["email"].partition("@")[0] for one in listed[what]]
    assert listed["total"] == len(names) == sum(listed["counts"].values())
    return names


def test_requests_are_found(filled: Caller, subtests: pytest.Subtests) -> None:
    for q, names in FOUND.items():
        with subtests.test(q):
            assert found(filled, REQUESTS, "requests", q) == names
    assert len(found(filled, REQUESTS, "requests", " \u200b ")) == len(NAMES)


def test_customers_are_found(api: ApiUnderTest, filled: Caller, subtests: pytest.Subtests) -> None:
    customers = found(filled, CREATE, "users", "")
    assert 2 < len(customers) < len(NAMES)
    for q, names in FOUND.items():
        with subtests.test(q):
            assert found(filled, CREATE, "users", q) == [name for name in names if name in customers]


def test_what_was_not_folded_is_found_as_before(api: ApiUnderTest, filled: Caller) -> None:
    sql(api, "UPDATE provisioning_requests SET search_text = NULL")
    sql(api, "UPDATE tripwire_users SET search_text = NULL")
    for path, what in ((REQUESTS, "requests"), (CREATE, "users")):
        assert found(filled, path, what, "Әлия") == ["aliya"]
        assert found(filled, path, what, "ALIYA@example") == ["aliya"]


def test_a_changed_name_is_found_by_no_former_one(api: ApiUnderTest, filled: Caller) -> None:
    """Whoever changes it: also a version that knows nothing of the text."""
    sql(api, "UPDATE provisioning_requests SET full_name = 'Bolat' WHERE email LIKE 'aliya@%%'")
    sql(api, "UPDATE tripwire_users SET full_name = 'Bolat' WHERE email LIKE 'aliya@%%'")
    for path, what in ((REQUESTS, "requests"), (CREATE, "users")):
        assert found(filled, path, what, "Әлия") == []
        assert found(filled, path, what, "bolat") == ["aliya"]
