"""A switch reaches the cache by the listener; one that was told while its connection was broken is read after it."""

from collections.abc import Callable

from tests.resources import Resources
from tests.shared.rows import rows
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import Mode

LISTENERS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'tripwire-api-listener' AND datname = current_database()"
)


def switch(resources: Resources, mode: Mode) -> int:
    switched = resources.mode_store.switch(mode, reason=None, changed_by="a test", staff_id=None, expected_version=None)
    return switched.version


def test_after_a_broken_connection(resources_for: Callable[..., Resources]) -> None:
    process, elsewhere = resources_for("api"), resources_for("api")
    process.wakeups.start()
    [first] = wait_until(lambda: rows(elsewhere.database, LISTENERS), 5)
    wait_until(process.mode_store.receipts, 5)
    # In one statement: the listener is not there to hear the switch.
    rows(
        elsewhere.database,
        "WITH ended AS (SELECT pg_terminate_backend(%s)) UPDATE system_config SET value = 'sync_direct', version = 2"
        " FROM ended WHERE key = 'traffic_mode'",
        first.pid,
    )
    wait_until(lambda: process.mode_cache.current().mode is Mode.SYNC_DIRECT, 5)
    wait_until(lambda: [receipt.version for receipt in elsewhere.mode_store.receipts()] == [2], 5)
    [second] = rows(elsewhere.database, LISTENERS)
    assert second.pid != first.pid


def test_a_told_switch_needs_no_question_on_the_way_of_a_request(resources_for: Callable[..., Resources]) -> None:
    process, elsewhere = resources_for("api"), resources_for("api")
    process.wakeups.start()
    wait_until(process.mode_store.receipts, 5)
    process.mode_cache._read = None  # type: ignore[assignment]  # whoever asks, fails
    for mode in (Mode.SYNC_DIRECT, Mode.ASYNC_QUEUE) * 5:
        version = switch(elsewhere, mode)
        wait_until(lambda version=version: process.mode_cache.current().version == version, 2, step=0.001)
        assert process.mode_cache.current().mode is mode
