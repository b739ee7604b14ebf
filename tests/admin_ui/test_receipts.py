"""The receipts of a switch: how many obey, how long it took, and who is late."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.admin_ui.told import mode_told
from tripwire_admin_ui.presenters.mode_receipts import Receipts, receipts

SWITCHED = datetime(2026, 11, 24, 14, 24, 9, tzinfo=UTC)


def told(
    versions: dict[tuple[str, int], int], after: float, applied: float = 0.2, by: str | None = "dana@example.com"
) -> Receipts:
    applied_at = (SWITCHED + timedelta(seconds=applied)).isoformat()
    processes: list[dict[str, Any]] = [
        {"service": "api", "host": host, "pid": pid, "version": version, "applied_at": applied_at}
        for (host, pid), version in versions.items()
    ]
    mode = mode_told(mode="sync_direct", version=10, changed_by=by, changed_at=SWITCHED, processes=processes)
    return receipts(mode, SWITCHED + timedelta(seconds=after))


def test_all_confirmed_says_when_the_last_one_came() -> None:
    found = told({("app-1", 1): 10, ("app-1", 2): 10}, after=9)
    assert (found.done, found.total, found.note, found.laggards) == (2, 2, "last one after 0.2 s", ())
    assert found.complete


def test_laggards_are_named_by_host_and_version() -> None:
    found = told({("app-1", 1): 10, ("app-2", 4131): 9, ("app-2", 4127): 9, ("app-3", 7): 8}, after=0.4)
    assert (found.done, found.total, found.note) == (1, 4, "0.4 s after the switch")
    assert found.laggards == (
        "api on app-2, processes 4127 and 4131, still on version 9",
        "api on app-3, process 7, still on version 8",
    )
    assert not found.late


def test_five_seconds_after_the_switch_they_are_late() -> None:
    assert told({("app-1", 1): 9}, after=6).late
    assert not told({("app-1", 1): 10}, after=600).late


def test_a_process_that_began_later_is_no_receipt_of_the_switch() -> None:
    assert told({("app-1", 1): 10}, after=900, applied=600).note == ""


def test_before_the_first_switch_there_is_no_time_to_tell() -> None:
    assert told({("app-1", 1): 10}, after=9, by=None).note == ""


def test_of_many_laggards_five_are_named_and_the_others_counted() -> None:
    found = told({(f"app-{number}", 1): 9 for number in range(9)}, after=1)
    assert (len(found.laggards), found.unnamed) == (5, 4)
