"""What must hold over the whole database, whatever happened: nothing lost, nothing twice, nothing half."""

import re
from collections.abc import Collection
from pathlib import Path

import psycopg2

from tests.waiting import wait_until

# Each query gives the rows that break a promise.
BROKEN = {
    "a provisioned request without its auth user, customer, sale or mail": """
        SELECT r.id FROM provisioning_requests r
        LEFT JOIN auth.users a ON a.id = r.user_id
        LEFT JOIN tripwire_users t ON t.user_id = r.user_id AND t.request_id = r.id
        LEFT JOIN sales s ON s.request_id = r.id AND s.user_id = r.user_id
        LEFT JOIN outbox o ON o.request_id = r.id AND o.channel = 'mail'
        WHERE r.status = 'provisioned' AND (a.id IS NULL OR t.id IS NULL OR s.id IS NULL OR o.id IS NULL)""",
    "a customer or sale without a provisioned request": """
        SELECT t.id FROM tripwire_users t LEFT JOIN provisioning_requests r
            ON r.id = t.request_id AND r.status = 'provisioned' WHERE r.id IS NULL
        UNION ALL
        SELECT s.id FROM sales s LEFT JOIN provisioning_requests r
            ON r.id = s.request_id AND r.status = 'provisioned' WHERE r.id IS NULL""",
    "an auth user of ours without its customer": """
        SELECT a.id FROM auth.users a LEFT JOIN tripwire_users t ON t.user_id = a.id
        WHERE a.raw_app_meta_data ? 'tripwire_request_id' AND t.id IS NULL""",
    "an e-mail with two customers, auth users or provisioned requests": """
        SELECT readable_email(email) FROM tripwire_users GROUP BY 1 HAVING count(*) > 1
        UNION ALL SELECT readable_email(email) FROM auth.users GROUP BY 1 HAVING count(*) > 1
        UNION ALL SELECT readable_email(email) FROM provisioning_requests WHERE status = 'provisioned'
        GROUP BY 1 HAVING count(*) > 1""",
    "a request with more welcome mails than its first one and those that somebody asked for": """
        SELECT request_id FROM outbox o WHERE channel = 'mail' GROUP BY request_id
        HAVING count(*) > 1 + (SELECT count(*) FROM sales_activity_log a
                               WHERE a.request_id = o.request_id AND a.action = 'welcome mail resent')
            OR count(*) FILTER (WHERE status = 'pending') > 1""",
    "a link that works beside a newer one": """
        SELECT user_id FROM invitations WHERE used_at IS NULL AND revoked_at IS NULL
        GROUP BY user_id HAVING count(*) > 1""",
    "a finished request that still holds a password": """
        SELECT id FROM provisioning_requests
        WHERE status IN ('provisioned', 'duplicate') AND sealed_password IS NOT NULL""",
    "an erased customer of whom something is left": """
        SELECT t.id FROM tripwire_users t JOIN auth.users a ON a.id = t.user_id
        LEFT JOIN provisioning_requests r ON r.id = t.request_id
        LEFT JOIN outbox o ON o.request_id = r.id AND o.channel = 'mail' AND o.status = 'pending'
        WHERE t.erased_at IS NOT NULL AND (
            a.email <> t.email OR r.email <> t.email OR r.full_name <> t.full_name OR a.encrypted_password IS NOT NULL
            OR r.search_text NOT LIKE '%erased-%' OR t.search_text NOT LIKE '%erased-%'
            OR r.sealed_password IS NOT NULL OR r.idempotency_key IS NOT NULL OR o.id IS NOT NULL)""",
    "a failed request that nobody was told of": """
        SELECT r.id FROM provisioning_requests r LEFT JOIN system_health_logs e
            ON e.event_type = 'CRITICAL' AND e.metadata ->> 'request_id' = r.id::text
        WHERE r.status = 'failed' AND e.id IS NULL""",
    "a mail or sale of a request that did not come to be": """
        SELECT r.id FROM provisioning_requests r JOIN outbox o ON o.request_id = r.id AND o.channel = 'mail'
        WHERE r.status <> 'provisioned'
        UNION ALL SELECT r.id FROM provisioning_requests r JOIN sales s ON s.request_id = r.id
        WHERE r.status <> 'provisioned'""",
}

# How each of these requests ended: status, auth users of its e-mail, customers, sales, mails sent, CRITICAL events, and
# whether its customer was erased (perhaps before the mail went out).
ENDS = """
    SELECT wanted.id, r.status,
        (SELECT count(*) FROM auth.users a WHERE a.email = r.email),
        (SELECT count(*) FROM tripwire_users t WHERE t.email = r.email AND t.request_id = r.id),
        (SELECT count(*) FROM sales s WHERE s.request_id = r.id),
        (SELECT count(*) FROM outbox o WHERE o.request_id = r.id AND o.channel = 'mail' AND o.status = 'sent'),
        (SELECT count(*) FROM system_health_logs e
         WHERE e.event_type = 'CRITICAL' AND e.metadata ->> 'request_id' = r.id::text),
        EXISTS (SELECT 1 FROM tripwire_users t WHERE t.request_id = r.id AND t.erased_at IS NOT NULL)
    FROM unnest(%s::uuid[]) AS wanted (id) LEFT JOIN provisioning_requests r ON r.id = wanted.id"""
UNFINISHED = "SELECT count(*) FROM provisioning_requests WHERE status = 'accepted'"
MAILS_WAITING = "SELECT count(*) FROM outbox WHERE channel = 'mail' AND status = 'pending'"


def wait_until_finished(database_url: str, seconds: float) -> None:
    """Waits until no request is under way."""
    wait_until(lambda: count(database_url, UNFINISHED) == 0, seconds, step=0.1, what="all requests finished")


def wait_until_settled(database_url: str, seconds: float) -> None:
    """Waits until no request is under way and no mail waits. Mails that a dead process held are let go at once: their
    lease of half a minute would be most of the test's time."""
    wait_until_finished(database_url, seconds)
    _execute(database_url, "UPDATE outbox SET due_at = now() WHERE status = 'pending' AND channel = 'mail'")
    wait_until(lambda: count(database_url, MAILS_WAITING) == 0, 20, step=0.1, what="all mails sent")


def assert_all_kept(database_url: str, accepted: Collection[str], *, failed: int = 0) -> None:
    """Each request that was answered 2xx is one auth user, one customer, one sale and one delivered mail; exactly
    `failed` of them are failed instead, and somebody was told."""
    assert accepted, "nothing was accepted: this test shows nothing"
    ends = assert_all_ended(database_url, accepted)
    assert [end[1] for end in ends if end[1] != "provisioned"] == ["failed"] * failed
    assert_nothing_broken(database_url)


def assert_all_ended(database_url: str, accepted: Collection[str]) -> list[tuple[str | int, ...]]:
    """Each of these requests is done with everything that belongs to it, is failed with a CRITICAL event, or lost its
    e-mail to an auth user that somebody else made meanwhile; gives how each ended."""
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(ENDS, (sorted(set(accepted)),))
            ends = cursor.fetchall()
    finally:
        connection.close()
    assert [end for end in ends if not _kept(*end[1:])] == []
    return ends


def _kept(
    status: str | None, auth_users: int, customers: int, sales: int, mails: int, criticals: int, erased: bool
) -> bool:
    if status == "provisioned":
        return (auth_users, customers, sales) == (1, 1, 1) and (mails == 1 or (erased and mails == 0))
    nothing_made = (customers, sales, mails) == (0, 0, 0)
    return nothing_made and ((status == "failed" and criticals > 0) or (status == "duplicate" and auth_users == 1))


def assert_mails_arrived(database_url: str, folder: Path) -> None:
    """What is marked as sent lies in `folder`, one file a mail, and nothing else does."""
    sent = count(database_url, "SELECT count(*) FROM outbox WHERE channel = 'mail' AND status = 'sent'")
    names = [file.name for file in folder.glob("*.eml")]
    assert len(names) == sent
    assert all(re.fullmatch(r"welcome-\d+\.eml", name) for name in names)


def assert_nothing_broken(database_url: str) -> None:
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            for promise, query in BROKEN.items():
                cursor.execute(query)
                assert cursor.fetchall() == [], promise
    finally:
        connection.close()


def _execute(database_url: str, statement: str) -> None:
    connection = psycopg2.connect(database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def count(database_url: str, query: str) -> int:
    """The single number that `query` gives."""
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone()
            assert row is not None
            return int(row[0])
    finally:
        connection.close()
