"""What must hold over the whole database, whatever happened: nothing lost, nothing twice, nothing half."""

import psycopg2

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
        SELECT email FROM tripwire_users GROUP BY email HAVING count(*) > 1
        UNION ALL SELECT email FROM auth.users GROUP BY email HAVING count(*) > 1
        UNION ALL SELECT email FROM provisioning_requests WHERE status = 'provisioned'
        GROUP BY email HAVING count(*) > 1""",
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
}


def assert_nothing_broken(database_url: str) -> None:
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            for promise, query in BROKEN.items():
                cursor.execute(query)
                assert cursor.fetchall() == [], promise
    finally:
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
