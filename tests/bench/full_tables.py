"""Tables as they are after years: customers of former times, with all that belongs to them."""

from tests.bench.servers import execute

CUSTOMERS = 100_000

# In two steps, as the foreign keys are checked by plans that know how large the table is.
REQUESTS = f"""
INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, attempts, due_at,
                                   user_id, answer, accepted_at, finished_at)
SELECT gen_random_uuid(), 'old' || n || '@example.com', 'Old Customer', 5000, 'KZT', (SELECT id FROM staff LIMIT 1),
       'provisioned', 'async', 1, now() - n * interval '1 minute', gen_random_uuid(), 202,
       now() - n * interval '1 minute', now() - n * interval '1 minute'
FROM generate_series(1, {CUSTOMERS}) n;
ANALYZE provisioning_requests"""
WHAT_BELONGS_TO_THEM = """
INSERT INTO auth.users (id, email, created_at) SELECT user_id, email, accepted_at FROM provisioning_requests;
INSERT INTO tripwire_users (id, user_id, request_id, email, full_name, granted_by, created_at)
SELECT gen_random_uuid(), user_id, id, email, full_name, staff_id, finished_at FROM provisioning_requests;
ANALYZE auth.users, tripwire_users;
INSERT INTO sales (id, request_id, user_id, manager_id, amount, currency, created_at)
SELECT gen_random_uuid(), id, user_id, staff_id, price, currency, finished_at FROM provisioning_requests;
INSERT INTO sales_activity_log (staff_id, action, user_id, request_id, created_at)
SELECT staff_id, 'customer created', user_id, id, finished_at FROM provisioning_requests;
INSERT INTO invitations (id, user_id, created_at, expires_at, used_at)
SELECT gen_random_uuid(), user_id, finished_at, finished_at + interval '3 days', finished_at FROM provisioning_requests;
INSERT INTO outbox (channel, status, user_id, request_id, invitation_id, attempts, created_at, finished_at)
SELECT 'mail', 'sent', r.user_id, r.id, i.id, 1, r.finished_at, r.finished_at
FROM provisioning_requests r JOIN invitations i USING (user_id);
INSERT INTO request_steps (request_id, step, at) SELECT id, 'provisioned', finished_at FROM provisioning_requests;
ANALYZE sales, sales_activity_log, invitations, outbox, request_steps"""


def fill(url: str) -> None:
    """Puts them into an empty database."""
    execute(url, REQUESTS)
    execute(url, WHAT_BELONGS_TO_THEM)
