"""Retry by filter: a hundred a call, those whose address somebody has are told apart, and each is noted."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sql
from tests.invariants import assert_nothing_broken

REQUESTS = "/api/admin/tripwire/requests"


def fail_some(api: ApiUnderTest, manager: Caller, count: int, mode: str = "async") -> None:
    sql(
        api,
        "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, attempts,"
        " due_at, error, accepted_at, finished_at) SELECT gen_random_uuid(), %s || n || '@example.com', 'Anna', 1,"
        " 'KZT', %s, 'failed', %s, 3, now(), 'No.', now() - make_interval(secs => n), now()"
        " FROM generate_series(1, %s) n",
        mode, manager.id, mode, count,
    )  # fmt: skip


def retry(admin: Caller, **wanted: Any) -> dict[str, int]:
    answer = admin.post(f"{REQUESTS}/retry", json=wanted)
    assert answer.status_code == 202, answer.text
    told: dict[str, int] = answer.get_json()
    return told


def test_a_hundred_a_call_until_none_remains(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    fail_some(api, manager, 230)
    told = [retry(admin) for _ in range(4)]
    assert [(one["retried"], one["remaining"]) for one in told] == [(100, 130), (100, 30), (30, 0), (0, 0)]
    rows = sql(api, "SELECT DISTINCT status, attempts, error, finished_at FROM provisioning_requests")
    assert [tuple(row) for row in rows] == [("accepted", 0, None, None)]
    entries = sql(api, "SELECT DISTINCT request_id, staff_id::text, address FROM sales_activity_log"
                     " WHERE action = 'request retried'")  # fmt: skip
    assert len(entries) == 230
    assert {(entry.staff_id, entry.address) for entry in entries} == {(admin.id, "127.0.0.1")}
    steps = sql(api, "SELECT DISTINCT step, facts FROM request_steps")
    assert [tuple(step) for step in steps] == [("retried", {"by": "boss@example.com"})]


def test_only_what_matches(api: ApiUnderTest, manager: Caller, admin: Caller, subtests: pytest.Subtests) -> None:
    other = api.member("other@example.com")
    fail_some(api, manager, 3, "async")
    fail_some(api, other, 2, "fallback")
    for wanted, expected in (
        ({"q": "nobody"}, 0),
        ({"mode": "sync"}, 0),
        ({"to": "2026-01-01"}, 0),
        ({"manager_id": other.id, "q": "async"}, 0),
        ({"q": "async1"}, 1),
        ({"mode": "fallback", "from": "2026-01-01"}, 2),
        ({"manager_id": manager.id}, 2),
    ):
        with subtests.test(str(wanted)):
            assert retry(admin, **wanted) == {"retried": expected, "refused": 0, "remaining": 0}


def test_whose_address_somebody_has_is_refused_and_does_not_stand_in_the_way(
    api: ApiUnderTest, manager: Caller, admin: Caller
) -> None:
    fail_some(api, manager, 5)
    sql(
        api,
        "UPDATE provisioning_requests SET accepted_at = accepted_at + interval '1 minute' WHERE email LIKE 'async1@%%'",
    )
    # One is under way again, and two failed ones are for the same person: the newer goes on.
    admin.post(f"{REQUESTS}/retry", json={"q": "async1@"})
    sql(api, "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, due_at,"
             " finished_at) SELECT gen_random_uuid(), email, full_name, 1, 'KZT', staff_id, 'failed', 'async', now(),"
             " now() FROM provisioning_requests WHERE email LIKE 'async1@%%' OR email LIKE 'async2@%%'")  # fmt: skip
    assert retry(admin) == {"retried": 4, "refused": 2, "remaining": 0}
    assert retry(admin) == {"retried": 0, "refused": 2, "remaining": 0}
    assert len(sql(api, "SELECT 1 FROM provisioning_requests WHERE status = 'accepted'")) == 5


def test_more_than_a_hundred_refused_ones_do_not_hide_the_others(
    api: ApiUnderTest, manager: Caller, admin: Caller
) -> None:
    """Somebody else's auth users have the addresses of the newest 120; the other five are still found."""
    fail_some(api, manager, 125)
    sql(api, "INSERT INTO auth.users (id, email) SELECT gen_random_uuid(), email FROM provisioning_requests"
             " ORDER BY accepted_at DESC LIMIT 120")  # fmt: skip
    assert retry(admin) == {"retried": 5, "refused": 120, "remaining": 0}


def test_two_admins_at_once_retry_each_once(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    fail_some(api, manager, 90)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: retry(admin), range(4)))
    assert sum(one["retried"] for one in told) == 90
    assert len(sql(api, "SELECT 1 FROM request_steps WHERE step = 'retried'")) == 90
    assert_nothing_broken(api.resources.settings.database_url)


def test_a_bad_filter_retries_nothing(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    fail_some(api, manager, 1)
    for wanted in ({"mode": "direct"}, {"status": "failed"}, {"ids": []}):
        refused = assert_problem(admin.post(f"{REQUESTS}/retry", json=wanted), 422)
        assert list(refused["errors"]) == list(wanted)
    assert sql(api, "SELECT 1 FROM request_steps") == []


def test_a_manager_is_refused_before_the_body_is_looked_at(manager: Caller) -> None:
    assert_problem(manager.post(f"{REQUESTS}/retry", json={"mode": "direct"}), 403)
