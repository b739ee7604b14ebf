"""A process whose own connections are all in use says so; it does not tell an outage of PostgreSQL."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.resources import Resources
from tests.shared.rows import rows
from tests.telegram_server import TelegramServer
from tripwire_shared.errors import PoolExhausted
from tripwire_shared.timings import WATCH_MISSES
from tripwire_worker.sweep_parts import BACKGROUND_CONNECTIONS


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
