"""The verdict: the first sentence that applies, in the order of what matters most."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.admin_ui.told import metrics_told, mode_told
from tripwire_admin_ui.api.failures import ApiTooSlow, ApiUnreachable, DatabaseAway
from tripwire_admin_ui.presenters.cause_texts import CAUSES
from tripwire_admin_ui.presenters.status_summary import verdict
from tripwire_admin_ui.presenters.system_state import SystemState

FINE: dict[str, Any] = {
    "redis": "up",
    "waiting": 0,
    "workers": 5,
    "accepted_unfinished": 0,
    "telegram": "ok",
    "smtp": "ok",
    "postgresql": "up",
    "incident": None,
}
QUEUE = {"mode": "async_queue", "version": 1, "changed_by": "mara@example.com", "processes": []}
NOW = datetime.now(UTC)
DIRECT = {**QUEUE, "mode": "sync_direct"}


def an_outage(cause: str, ended_at: str | None = None) -> dict[str, Any]:
    about = {"id": 1, "detail": None, "served_synchronously": None, "slowest_seconds": None}
    return {**about, "cause": cause, "started_at": "2026-01-01T10:00:00Z", "ended_at": ended_at}


def title(metrics: dict[str, Any], mode: dict[str, Any] = QUEUE, failed: int = 0, reader: str = "dana@x") -> str:
    states = {"accepted": 0, "provisioned": 0, "duplicate": 0, "failed": failed}
    told = metrics_told(**{**FINE, "states": states, **metrics})
    state = SystemState(datetime.now(UTC), mode_told(**mode), told)
    return verdict(state, reader).title


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({}, "Everything works"),
        ({"smtp": "failing"}, "The system works, but the mail server rejects messages."),
        ({"telegram": "not_configured", "smtp": "not_configured"}, "Everything works"),
        ({"telegram": "failing"}, "The system works, but Telegram refuses alerts."),
        ({"workers": 0}, "No worker runs. Nothing waits right now."),
        ({"workers": 0, "waiting": 12}, "No worker runs. 12 requests wait."),
        ({"workers": 0, "accepted_unfinished": 1}, "No worker runs. 1 request waits."),
        ({"redis": "down", "workers": None}, "Redis is down. Customers are still being created, directly."),
        ({"redis": "down", "postgresql": "down"}, "The database is down. No customer can be created."),
    ],
)
def test_figures_lead_to_their_sentence(metrics: dict[str, Any], expected: str) -> None:
    assert title(metrics) == expected


def test_failed_requests_wait_for_the_reader() -> None:
    assert title({}, failed=1) == "The system works. 1 request failed and waits for you."
    assert title({}, failed=1200) == "The system works. 1,200 requests failed and wait for you."
    assert title({"telegram": "failing"}, failed=2).startswith("The system works, but Telegram")


@pytest.mark.parametrize("name", list(CAUSES))
def test_the_last_incident_is_told_in_a_sentence_and_promises_nothing(name: str) -> None:
    over = an_outage(name, "2026-01-01T10:03:12Z")
    state = SystemState(NOW, mode_told(**QUEUE), metrics_told(**{**FINE, "last_incident": over}))
    began, *rest = verdict(state, "dana@x").detail
    assert began == f"No open incident. The last one: {CAUSES[name].title}, "
    assert rest[-1] == ", for 3 min 12 s."


def test_a_database_that_is_read_but_not_written_is_down() -> None:
    assert title({"incident": an_outage("database unavailable")}) == "The database is down. No customer can be created."


def test_direct_mode_names_who_switched() -> None:
    assert title({}, DIRECT) == "Direct mode is on. mara@example.com switched it."
    assert title({}, DIRECT, reader="mara@example.com") == "Direct mode is on. You switched it."
    assert title({"redis": "down"}, DIRECT) == "Redis is down. It is not in use: direct mode is on."


def test_failures_to_read_are_told_apart() -> None:
    def told(failure: Exception, mode: bool) -> str:
        state = SystemState(datetime.now(UTC), mode_told(**QUEUE) if mode else None, None, (failure,))  # type: ignore[arg-type]
        return verdict(state, "dana@x").title

    assert told(ApiUnreachable(may_have_arrived=True), mode=False) == "The API cannot be reached."
    assert told(ApiUnreachable(may_have_arrived=True), mode=True) == "The API answers, but its figures cannot be read."
    assert told(ApiTooSlow(may_have_arrived=True), mode=False) == "The API did not answer in time."
    assert told(DatabaseAway("x"), mode=False) == "The database is down. No customer can be created."
