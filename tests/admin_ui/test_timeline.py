"""What happened to a request, in plain words and in order, with what is still to come."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.admin_ui.stand_in_records import a_request
from tests.admin_ui.told import request_told
from tripwire_admin_ui.presenters.timeline import Entry, timeline

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SAID = "The database cannot be reached or does not answer."
AWAY = {"attempt": 1, "of": 3, "cause": "database_unreachable", "text": SAID}
CHECKED = {"checks": ["live_request", "auth_user", "customer"]}


def told(*steps: tuple[str, float, dict[str, Any] | None], **fields: Any) -> tuple[Entry, ...]:
    """The timeline of a request whose steps happened so many seconds before NOW."""
    rows = [{"step": step, "at": at(seconds), "detail": detail} for step, seconds, detail in steps]
    return timeline(request_told({**a_request(**fields), "steps": rows}), NOW)


def at(seconds_ago: float) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).isoformat()


def test_a_request_that_failed_once_and_was_finished_by_the_sweep() -> None:
    entries = told(
        ("accepted", 33.2, None),
        ("attempt_started", 33.0, {"attempt": 1, "of": 3, "door": "queue"}),
        ("attempt_failed", 32.8, AWAY),
        ("attempt_started", 30.8, {"attempt": 2, "of": 3, "door": "sweep"}),
        ("provisioned", 30.1, CHECKED),
        ("mail_sent", 29.5, None),
    )
    assert [entry.headline for entry in entries] == [
        "Accepted",
        "Queued",
        "Attempt 1 of 3 failed",
        "Picked up by the recovery sweep, attempt 2 of 3",
        "Provisioned",
        "Welcome email sent",
    ]
    assert entries[2].reason is not None
    assert entries[2].reason.title == "The database could not be reached, or did not answer in time."
    assert entries[2].reason.technical == SAID
    assert len(entries[3].checks) == 3
    assert [entry.after if entry.after is None else round(entry.after, 1) for entry in entries] == [
        None,
        None,
        0.4,
        2.0,
        0.7,
        0.6,
    ]


def test_a_request_of_long_ago_says_that_its_steps_are_gone() -> None:
    last = told(status="provisioned", finished_at=at(1e7), welcome_email="sent")[-1]
    assert last.headline == "The timeline has been removed"
    assert "90 days" in last.words
    assert "removed" not in told(status="accepted", finished_at=None)[-1].headline


def test_a_request_that_gave_up_says_that_nothing_follows_by_itself() -> None:
    entries = told(
        ("accepted", 20, None),
        ("attempt_started", 19, {"attempt": 3, "of": 3, "door": "queue"}),
        ("failed", 18, {"attempt": 3, "of": 3, "cause": "unexpected", "text": "Unexpected error (KeyError)."}),
        status="failed",
    )
    last = entries[-1]
    assert last.headline == "Failed after 3 attempts"
    assert last.reason is not None
    assert "nothing more is tried by itself" in last.reason.words
    assert last.due is None


def test_the_way_is_told_from_the_mode() -> None:
    headlines = {mode: told(("accepted", 1, None), mode=mode)[1].headline for mode in ("async", "sync", "fallback")}
    assert headlines == {
        "async": "Queued",
        "sync": "Created directly",
        "fallback": "Queue failed, created directly",
    }


def test_the_next_attempt_is_told_with_its_moment() -> None:
    due = NOW + timedelta(seconds=41)
    entries = told(
        ("accepted", 5, None),
        ("attempt_started", 4, {"attempt": 1, "of": 3, "door": "queue"}),
        ("attempt_failed", 3, AWAY),
        status="accepted",
        attempts=1,
        due_at=due.isoformat(),
    )
    assert (entries[-1].headline, entries[-1].due) == ("Attempt 2 of 3", due)


def test_a_mail_that_was_refused_waits_for_its_next_try() -> None:
    entries = told(
        ("accepted", 60, None),
        ("provisioned", 59, CHECKED),
        ("mail_failed", 3, {"try": 2, "text": "The mail server refused (451)."}),
        welcome_email="pending",
    )
    assert [entry.headline for entry in entries[-2:]] == [
        "Welcome email failed, try 2",
        "Welcome email waits for try 3",
    ]
    assert entries[-2].words == "The mail server refused (451)."
    assert entries[-1].due == NOW + timedelta(seconds=12)  # 15 s after the second try


def test_a_duplicate_a_retry_and_a_mail_given_up_are_told() -> None:
    headlines = [
        entry.headline
        for entry in told(
            ("accepted", 9, None),
            ("retried", 8, {"by": "dana@example.com"}),
            ("duplicate", 7, {"cause": "customer"}),
            ("mail_given_up", 6, {"text": "The mail server refused (550)."}),
            status="duplicate",
        )
    ]
    assert headlines == [
        "Accepted",
        "Queued",
        "Retried by dana@example.com",
        "Already a customer, nothing created",
        "Welcome email given up",
    ]


def test_a_step_of_no_known_name_is_told_as_it_is() -> None:
    entry = told(("accepted", 9, None), ("moved_house", 1, {"text": "to the country"}))[-1]
    assert (entry.headline, entry.words) == ("Moved house", "to the country")
