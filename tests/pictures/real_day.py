"""The real services for the pictures: a day's load in a real database, then an outage and a switch as they happen."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from deploy.local.valkey import ValkeyServer
from tests.conftest import _postgres, _valkey, migrate
from tests.sales_manager import Manager
from tests.stack import ADMIN_EMAIL, Stack
from tests.waiting import wait_until

DAY = Path(__file__).with_name("a_day.sql")


class RealDay:
    """Two API processes, a worker service and the console on servers of their own. `happen(what)` brings it into a
    state and keeps it there."""

    def __init__(self, stack: Stack, valkey: ValkeyServer) -> None:
        self._valkey, self._numbers = valkey, 0
        self._manager = Manager(stack.api_url, stack.log_in())
        self.address = stack.admin_ui_url

    def happen(self, what: str) -> None:
        metrics = self._manager.metrics
        match what:
            case "day":
                self._manager.wait_for_workers()
                self._come_in(4)
                wait_until(lambda: metrics()["accepted_unfinished"] == 0, 20, what="all provisioned")
            case "outage":
                self._valkey.stop()
                self._come_in(9)
                wait_until(lambda: metrics()["incident"], 10, what="an incident")
            case "direct":
                self._valkey.start()
                wait_until(lambda: not metrics()["incident"], 30, what="the end of the incident")
                self._manager.switch("sync_direct")
                self._come_in(3)

    def _come_in(self, customers: int) -> None:
        for _ in range(customers):
            self._numbers += 1
            answer = self._manager.create(f"customer{self._numbers}@example.com")
            assert answer.status_code in (201, 202), answer.text


@contextmanager
def real_day(folder: Path) -> Iterator[RealDay]:
    postgres, valkey = _postgres(folder / "postgres"), _valkey(folder / "valkey", durable=False)
    stack = Stack(folder, "", "")
    try:
        postgres.start()
        postgres.make_database()
        valkey.start()
        stack.environ |= {"LOG_LEVEL": "error", "DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
        migrate(postgres.url)
        stack.start_api(processes=2)
        _fill(postgres.url)
        stack.start_worker(WORKER_CONCURRENCY="5")
        stack.start_admin_ui()
        yield RealDay(stack, valkey)
    finally:
        stack.stop()
        valkey.stop()
        postgres.stop()


def _fill(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM staff WHERE email = %s", (ADMIN_EMAIL,))
        [admin] = cursor.fetchone() or (None,)
        cursor.execute(DAY.read_text(encoding="utf-8"), {"admin": admin})
