"""Alive, ready, measured: without a token, and ready also without Redis."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deploy.local.data_folder import free_port
from deploy.local.postgres import PostgresServer
from tests.api.conftest import ApiUnderTest, assert_problem


def test_alive_and_ready(api: ApiUnderTest) -> None:
    assert api.client.get("/healthz").get_json() == {"status": "ok"}
    ready = api.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.get_json()["redis"] == "up"


def test_ready_without_redis(api_for: Callable[..., ApiUnderTest]) -> None:
    api = api_for(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    ready = api.client.get("/readyz")
    assert (ready.status_code, ready.get_json()["redis"]) == (200, "down")


def test_alive_but_not_ready_without_database(
    api_for: Callable[..., ApiUnderTest], own_postgres: PostgresServer
) -> None:
    api = api_for(database_url=own_postgres.url)
    assert api.client.get("/readyz").status_code == 200
    own_postgres.stop()
    assert assert_problem(api.client.get("/readyz"), 503)["database"] == "down"
    assert api.client.get("/healthz").status_code == 200


def test_measured_by_route_and_status_never_by_path(api: ApiUnderTest) -> None:
    api.client.get("/invitations/a-secret-link")
    answer = api.client.get("/metrics")
    assert answer.mimetype == "text/plain"
    assert 'tripwire_http_answers_total{method="GET",route="/invitations/<token>",status="404"} 1.0' in answer.text
    assert "a-secret-link" not in answer.text


def test_however_many_scrape_the_database_is_asked_once_a_second(
    api: ApiUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    read = api.resources.database.read

    def counted(question: Any) -> Any:
        asked.append(time.monotonic())
        return read(question)

    monkeypatch.setattr(api.resources.database, "read", counted)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.client.get("/metrics").text, range(100)))
    assert all("tripwire_database_up 1.0" in text for text in answers)
    assert len([at for at in asked if at >= began]) <= 2 * (1 + time.monotonic() - began)
    api.client.get("/invitations/nothing")
    counted_now = 'tripwire_http_answers_total{method="GET",route="/invitations/<token>",status="404"} 1.0'
    assert counted_now in api.client.get("/metrics").text, "its own counts cost nothing and are always new"
