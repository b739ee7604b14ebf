"""Alive, ready, measured: without a token, and ready also without Redis."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from deploy.local.data_folder import free_port
from deploy.local.postgres import PostgresServer
from tests.api.conftest import CREATE, ApiUnderTest, Caller, assert_problem, sql
from tests.waiting import wait_until
from tripwire_api.parts import BACKGROUND_CONNECTIONS
from tripwire_shared.errors import PoolExhausted


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


def test_all_connections_in_use_is_ready_and_said_to_be_so(api: ApiUnderTest, manager: Caller) -> None:
    with ExitStack() as in_use:
        for _ in range(api.resources.settings.web_threads + BACKGROUND_CONNECTIONS):
            wait_until(lambda: _take(in_use, api))
        ready = api.client.get("/readyz")
        assert (ready.status_code, ready.get_json()["database"]) == (200, "busy")
        document = assert_problem(manager.post(CREATE, json={"email": "anna@example.com", "full_name": "Anna"}), 503)
        assert document["title"] == "Too many requests"
        assert "in use" in document["detail"]
    assert api.client.get("/readyz").get_json()["database"] == "up"


def _take(in_use: ExitStack, api: ApiUnderTest) -> bool:
    try:
        in_use.enter_context(api.resources.database.connection())
    except PoolExhausted:  # a background thread has it for a moment
        return False
    return True


@pytest.mark.parametrize(("state", "word"), [("25006", "read-only"), ("53100", "full"), ("42501", "no writes")])
def test_not_ready_where_no_writes_are_taken(
    api_for: Callable[..., ApiUnderTest], database_url: str, state: str, word: str
) -> None:
    api = api_for(config_cache_ttl_seconds=60)
    sql(
        api,
        # Whole at once, or the watch's own try and this one wait for each other.
        "LOCK TABLE write_probe IN SHARE ROW EXCLUSIVE MODE;"
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '{state}'; END $$;"
        "UPDATE write_probe SET written_at = '-infinity';"
        "CREATE TRIGGER refuse BEFORE UPDATE ON write_probe FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    document = assert_problem(api.client.get("/readyz"), 503)
    assert document["database"] == word
    sql(api, "DROP TRIGGER refuse ON write_probe")
    assert api.client.get("/readyz").status_code == 200


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
        if threading.current_thread().name.startswith("scrape"):  # the watch asks for itself
            asked.append(time.monotonic())
        return read(question)

    monkeypatch.setattr(api.resources.database, "read", counted)
    began = time.monotonic()
    with ThreadPoolExecutor(8, thread_name_prefix="scrape") as pool:
        answers = list(pool.map(lambda _: api.client.get("/metrics").text, range(100)))
    assert all("tripwire_database_up 1.0" in text for text in answers)
    assert 0 < len(asked) <= 2 * (1 + time.monotonic() - began)
    api.client.get("/invitations/nothing")
    counted_now = 'tripwire_http_answers_total{method="GET",route="/invitations/<token>",status="404"} 1.0'
    assert counted_now in api.client.get("/metrics").text, "its own counts cost nothing and are always new"
