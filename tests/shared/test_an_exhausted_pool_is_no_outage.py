"""A process whose own connections are all in use says so; it does not tell an outage of PostgreSQL."""

import math
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.resources import Resources
from tests.shared.rows import rows
from tests.telegram_server import TelegramServer
from tripwire_shared.errors import PoolExhausted
from tripwire_shared.metrics.system_figures import Figures
from tripwire_shared.postgres.database import Database, within
from tripwire_shared.queue.request_queue import QueueCounts
from tripwire_shared.timings import WATCH_MISSES
from tripwire_worker.sweep_parts import BACKGROUND_CONNECTIONS
from tripwire_worker.worker_parts import BACKGROUND_CONNECTIONS as WORKER_CONNECTIONS


def test_an_exhausted_pool_is_no_outage(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    resources = resources_for("sweep", worker_concurrency=1, **to_telegram)
    with ExitStack() as in_use:
        for _ in range(1 + BACKGROUND_CONNECTIONS):
            in_use.enter_context(resources.database.connection())
        with pytest.raises(PoolExhausted):
            in_use.enter_context(resources.database.connection())
        for _ in range(WATCH_MISSES + 1):
            assert resources.watch.look(), "something is wrong: look again soon"
    assert not resources.watch.look()
    resources.writer.start()
    resources.writer.stop(5)
    assert rows(resources.database, "SELECT * FROM incidents") == []
    assert telegram_server.messages == []


def test_who_waits_for_a_connection_waits_within_their_budget(database_url: str) -> None:
    database = Database(database_url, application_name="tripwire-test", pool_size=1, statement_limit=1.5)
    with database.connection():
        for budget, most in ((0.1, 0.3), (5.0, 0.8)):
            began = time.monotonic()
            with within(budget), pytest.raises(PoolExhausted), database.connection():
                pass
            assert time.monotonic() - began < most
    with within(0.1), database.connection():
        pass
    database.close()


def test_prometheus_gets_no_figure_and_no_outage(resources_for: Callable[..., Resources]) -> None:
    resources = resources_for("worker", worker_concurrency=1)
    figures = Figures(resources.database, lambda: QueueCounts(0, 0, 0, 0, 0, 0))

    def up() -> float:
        return next(metric.samples[0].value for metric in figures.collect() if metric.name == "tripwire_database_up")

    assert up() == 1
    with ExitStack() as in_use:
        for _ in range(1 + WORKER_CONNECTIONS):
            in_use.enter_context(resources.database.connection())
        assert math.isnan(up())
