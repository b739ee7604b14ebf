"""The servers of a benchmark: PostgreSQL and Valkey as `make run` starts them (durable), and the services on top."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import psycopg2.extensions
import requests
from redis import Redis

from deploy.local.child import Child
from deploy.local.data_folder import free_port
from deploy.local.postgres import PostgresServer
from deploy.local.services import ROOT
from deploy.local.valkey import ValkeyServer
from tests.bench.mail_sink import mail_sink
from tests.bench.processor_time import ProcessorTime, tree_seconds
from tests.conftest import migrate
from tests.stack import Stack
from tests.waiting import wait_until

Connection = psycopg2.extensions.connection

DONE = "SELECT count(*) FROM provisioning_requests WHERE status = 'provisioned'"
NO_LIMITS = {"API_RATE_LIMIT": "0", "WORKER_RATE_LIMIT": "0", "LOG_LEVEL": "warning", "LOG_FORMAT": "json"}
PROCESSES, THREADS = 2, 8


@dataclass(frozen=True)
class Servers:
    """`stack` has the API running; who measures the worker service starts it with `worker()`."""

    stack: Stack
    postgres: PostgresServer
    valkey: ValkeyServer
    api: Child
    hello: Child
    hello_port: int
    token: str

    @property
    def api_port(self) -> int:
        return urlsplit(self.stack.api_url).port or 0

    @contextmanager
    def worker(self) -> Iterator[Child]:
        """A worker service for the length of the block. It takes up work when it is ready."""
        child = self.stack.start_worker()
        try:
            yield child
        finally:
            child.stop()
            self.stack.children.remove(child)

    def processor_time(self) -> ProcessorTime:
        """What the services that run, PostgreSQL and Valkey have used so far."""
        services = sum(tree_seconds(child.pid) for child in self.stack.children)
        return ProcessorTime(services, tree_seconds(self.postgres.child.pid), tree_seconds(self.valkey.child.pid))

    def empty(self) -> None:
        """No request, customer, sale or mail in the database, nothing in the queue. Staff, tokens and mode stay."""
        execute(self.postgres.url, "TRUNCATE provisioning_requests, auth.users, system_health_logs, "
                "sales_activity_log, invitations RESTART IDENTITY CASCADE")  # fmt: skip
        with Redis.from_url(self.valkey.url) as redis:
            redis.delete("rq:queue:requests")
            for key in redis.scan_iter("rq:job:*", count=1000):
                redis.delete(key)

    def wait_until_provisioned(self, count: int, seconds: float) -> None:
        with connected(self.postgres.url) as connection:
            wait_until(lambda: rows(connection, DONE) == [(count,)], seconds, step=0.05, what=f"{count} provisioned")


@contextmanager
def running() -> Iterator[Servers]:
    """Everything but the worker, on free ports in a folder of its own; all of it is stopped at the end."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="tripwire-bench-")))
        smtp_url = opened.enter_context(mail_sink())
        postgres = PostgresServer(
            folder / "postgres", free_port(), superuser_password="bench", password="bench", write_line=_say("postgres")
        )
        valkey = ValkeyServer(folder / "valkey", free_port(), password="bench", write_line=_say("valkey"))
        stack = Stack(folder, postgres.url, valkey.url, {**NO_LIMITS, "SMTP_URL": smtp_url})
        stack.environ["WEB_THREADS"] = str(THREADS)
        hello_port = free_port()
        hello = _hello(stack, hello_port)
        try:
            postgres.start()
            postgres.make_database()
            migrate(postgres.url)
            valkey.start()
            hello.start()
            api = stack.start_api(PROCESSES)
            _wait_for_hello(hello_port)
            yield Servers(stack, postgres, valkey, api, hello, hello_port, stack.log_in())
        finally:
            stack.stop()
            for child in (hello, valkey.child, postgres.child):
                child.stop()


def _hello(stack: Stack, port: int) -> Child:
    """The yardstick, which stays the same whatever serves the API."""
    command = [sys.executable, "-m", "gunicorn", "--config", "python:tests.bench.hello_conf"]
    environ = {**stack.environ, "HELLO_PORT": str(port), "PYTHONPATH": str(ROOT)}
    return Child(
        "hello", [*command, "tests.bench.hello:create()"], environ=environ, folder=stack.folder,
        write_line=_say("hello"), stop_limit=2.0,
    )  # fmt: skip


def _wait_for_hello(port: int) -> None:
    def answers() -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{port}/", timeout=2).ok
        except requests.RequestException:
            return False

    wait_until(answers, 20, step=0.05, what="the hello-world server")


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """One connection in autocommit, for who asks often: a new one costs PostgreSQL more than what it is asked."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        yield connection


def execute(url: str, statement: str) -> None:
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def rows(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())


def _say(name: str) -> Callable[[str], None]:
    """What a server has to complain about; its notes of starting and stopping are left out."""

    def say(line: str) -> None:
        trouble = any(word in line for word in ("ERROR", "FATAL", "PANIC", "Traceback"))
        if trouble and "the database system is starting up" not in line:
            print(f"{name} | {line}", file=sys.stderr)

    return say
