"""A database that quotes its rows: nothing of them is in a log of ours, in PostgreSQL's, in Redis, or shown."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest

from deploy.local.data_folder import free_port
from deploy.local.first_lines import Web
from deploy.local.postgres import PostgresServer
from deploy.local.valkey import ValkeyServer
from tests.conftest import migrate
from tests.flows.test_no_password_is_kept_anywhere import everything_in_redis
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until

NAME = "Anastasia Perelman"
PASSWORD = "given-by-the-manager"
EMAILS = {way: f"anastasia.{way}@example.com" for way in ("direct", "queue", "sweep", "terminated")}
# As other people's triggers on auth.users do: the row in the message, its details and its hint.
TRIGGER = """
CREATE FUNCTION auth.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'no % here', NEW.email USING DETAIL = format('Failing row contains (%s).', NEW), HINT = NEW.email;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION auth.refuse();
"""


@pytest.fixture
def server_lines() -> list[str]:
    return []


@pytest.fixture
def talking_postgres(tmp_path: Path, server_lines: list[str]) -> Iterator[PostgresServer]:
    server = PostgresServer(
        tmp_path / "postgres", free_port(), superuser_password="superuser-of-tests", password="application-of-tests",
        write_line=server_lines.append, durable=False,
    )  # fmt: skip
    try:
        server.start()
        server.make_database()
        migrate(server.url)
        yield server
    finally:
        server.stop()


def finished(manager: Manager, email: str) -> bool:
    found = manager.call("GET", f"/api/admin/tripwire/requests?q={email}").json()["requests"]
    return bool(found) and found[0]["status"] == "failed"


def end_a_session_within_its_statement(server: PostgresServer) -> None:
    with closing(psycopg2.connect(server.url, application_name="doomed")) as doomed, doomed.cursor() as cursor:

        def run() -> None:
            with pytest.raises(psycopg2.OperationalError):
                cursor.execute("SELECT %s, pg_sleep(60)", (EMAILS["terminated"],))

        running = threading.Thread(target=run)
        running.start()
        with closing(psycopg2.connect(server.superuser_url())) as other, other, other.cursor() as admin:

            def ended() -> bool:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'doomed' AND state = 'active'"
                )
                return admin.rowcount > 0

            wait_until(ended, 10)
        running.join(10)


@pytest.mark.long
def test_when_a_trigger_quotes_the_row(
    tmp_path: Path,
    talking_postgres: PostgresServer,
    server_lines: list[str],
    own_valkey: ValkeyServer,
    capfd: pytest.CaptureFixture[str],
) -> None:
    stack = Stack(
        tmp_path,
        talking_postgres.url,
        own_valkey.url,
        {"LOG_FORMAT": "json", "LOG_LEVEL": "debug", "JOB_MAX_ATTEMPTS": "1", "SWEEP_AFTER_SECONDS": "0"},
    )
    try:
        api = stack.start_api()
        stack.start_admin_ui()
        with closing(psycopg2.connect(talking_postgres.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(TRIGGER)
        manager = Manager(stack.api_url, stack.log_in())

        def create(way: str) -> None:
            manager.create(EMAILS[way], full_name=NAME, password=PASSWORD)

        manager.switch("sync_direct")
        create("direct")
        wait_until(lambda: finished(manager, EMAILS["direct"]), 10)
        manager.switch("async_queue")
        create("queue")
        stack.start_worker(SWEEP_AFTER_SECONDS="5")
        wait_until(lambda: finished(manager, EMAILS["queue"]), 20)
        own_valkey.stop()
        create("sweep")
        wait_until(lambda: finished(manager, EMAILS["sweep"]), 20)
        own_valkey.start()
        psutil.Process(api.pid).children()[0].kill()  # so that gunicorn's parent says something
        wait_until(lambda: Web().answers(f"{stack.api_url}/readyz"), 20)
        end_a_session_within_its_statement(talking_postgres)
        in_redis = everything_in_redis(own_valkey.url).decode(errors="replace")
        ids = [found["request_id"] for found in manager.call("GET", "/api/admin/tripwire/requests").json()["requests"]]
        shown = [manager.call("GET", f"/api/admin/tripwire/requests/{request_id}").json() for request_id in ids]
        events = manager.call("GET", "/api/admin/system/logs").text
    finally:
        stack.stop()
        talking_postgres.stop()
    logs = capfd.readouterr().out
    places = {
        "logs": logs,
        "PostgreSQL's log": "\n".join(server_lines),
        "Redis": in_redis,
        "requests": "\n".join(f"{one['error']} {one['steps']}" for one in shown),
        "events": events,
    }
    for place, text in places.items():
        assert text, place
        for word in (NAME.split()[1], "anastasia", "argon2", PASSWORD):
            assert word not in text, (place, [line for line in text.splitlines() if word in line])

    lines = [json.loads(line.partition(" | ")[2]) for line in logs.splitlines() if line.partition(" | ")[2][:1] == "{"]
    assert len(lines) == len([line for line in logs.splitlines() if " | " in line]), "every line has the one form"
    of_services = {line["service"] for line in lines}
    assert {"api", "admin-ui", "worker"} <= of_services
    told = [line for line in lines if "P0001" in line.get("exception", "")]
    assert any("SIGKILL" in line["event"] and line["service"] == "api" for line in lines), "gunicorn's parent too"
    assert told, "that, and where, it failed is told"
