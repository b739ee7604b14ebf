"""Provisioning in this process, on real PostgreSQL: what the worker's processes do, step by step."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.identity_server import IdentityServer
from tests.resources import Resources, build_resources
from tripwire_shared.answers.vocabulary import RequestMode
from tripwire_shared.postgres.database import Database
from tripwire_shared.requests.request import NewCustomer
from tripwire_shared.requests.request_store import NewRequest
from tripwire_shared.settings import Settings


@pytest.fixture
def build(settings_for: Callable[..., Settings]) -> Iterator[Callable[..., Resources]]:
    """Builds the resources of a worker process: `build(job_max_attempts=1)`."""
    built: list[Resources] = []

    def make(**overrides: Any) -> Resources:
        built.append(build_resources(settings_for(**{"worker_rate_limit": 0, **overrides}), service="sweep"))
        return built[-1]

    yield make
    for resources in built:
        resources.database.close()


@pytest.fixture
def staff_id(build: Callable[..., Resources]) -> UUID:
    return a_manager(build().database)


@pytest.fixture
def identity_server(database_url: str) -> Iterator[IdentityServer]:
    server = IdentityServer(database_url)
    yield server
    server.stop()


def accept(resources: Resources, staff_id: UUID, email: str = "anna@example.com", password: str | None = None) -> UUID:
    """Stores a request as intake does on the queue's route; gives its id."""
    sealed = None if password is None else resources.sealer.seal(password)
    customer = NewCustomer(email, "Anna K.", password, 5000, "KZT")
    new = NewRequest(uuid4(), customer, sealed, staff_id, RequestMode.ASYNC, 202, None, None)
    assert resources.requests.accept([new])
    return new.id


def a_manager(database: Database) -> UUID:
    """Somebody who sells: their id."""
    staff_id = uuid4()
    rows(
        database,
        "INSERT INTO staff (id, email, full_name, role) VALUES (%s, 'dana@example.com', 'Dana', 'sales')",
        staff_id,
    )
    return staff_id


def rows(database: Database, query: str, *values: Any) -> list[Any]:
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall() if cursor.description is not None else []
