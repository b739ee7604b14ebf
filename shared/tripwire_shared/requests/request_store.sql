-- How a request comes in (accept) and is tried again for an admin (retry); what its caller was told; and reading one.
-- What happens between stands in claims.sql and in provisioning/customer_store.sql; nobody else writes a request's state.
-- The lock order everywhere: requests by id, auth.users, tripwire_users, sale, activity, mail, event.

-- name: accept
-- Stores requests in one round trip; no row for one whose e-mail or key somebody has, be it one of the same set.
-- ON CONFLICT without a target: either unique index, or the same id sent twice after a lost answer.
-- In the order of e-mails, so that two sets never wait crosswise; the sort also has the lock's limit set before the first
-- row goes in.
-- An address with an international domain is looked for in both of its forms: others may have kept the readable one, and
-- so did we once. It is `readable` then, else null.
-- `is_sso_user = false` is the condition of the unique index on auth.users: without it every accept reads that table whole.
WITH patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', :lock_timeout, true)
)
INSERT INTO provisioning_requests (
    id, email, full_name, search_text, sealed_password, price, currency, staff_id, mode, answer, idempotency_key,
    fingerprint, due_at)
SELECT id, email, full_name, search_text, sealed_password, price, currency, staff_id, mode, answer, key, fingerprint,
       now() + make_interval(secs => :head_start)
FROM patience, json_to_recordset(:news) AS new (
    id uuid, email text, readable text, full_name text, search_text text, sealed_password text, price integer, currency text, staff_id uuid, mode text,
    answer smallint, key text, fingerprint bytea)
WHERE NOT ARRAY[email, readable] && ARRAY (
          SELECT u.email::text FROM auth.users u WHERE u.email = ANY (:emails) AND u.is_sso_user = false)
  AND (readable IS NULL OR readable <> ALL (ARRAY (
          SELECT o.email FROM provisioning_requests o
          WHERE o.email = ANY (:emails) AND o.status IN ('accepted', 'provisioned'))))
ORDER BY email
ON CONFLICT DO NOTHING
RETURNING id;

-- name: find_rival^
-- Who has the key or the e-mail: this very request (its answer was lost), the same key, then the live e-mail.
SELECT id, email, status, mode, answer, user_id, staff_id, fingerprint,
       coalesce(staff_id = :staff_id AND idempotency_key = :key, false) AS same_key,
       accepted_at < now() - make_interval(secs => :abandoned_after) AS abandoned
FROM provisioning_requests
WHERE id = :id
   OR (staff_id = :staff_id AND idempotency_key = :key)
   OR (email = ANY (:emails) AND status IN ('accepted', 'provisioned'))
ORDER BY id = :id DESC, same_key DESC
LIMIT 1;

-- name: find_auth_user$
-- The auth user with this e-mail, whoever made it.
SELECT id FROM auth.users WHERE email = ANY (:emails) AND is_sso_user = false LIMIT 1;

-- name: find_live^
-- The request that has the e-mail: under way, or provisioned.
SELECT id, user_id, staff_id FROM provisioning_requests
WHERE email = ANY (:emails) AND status IN ('accepted', 'provisioned') LIMIT 1;

-- name: note_answer!
-- What the caller was told, where somebody else moved the request or the database was away.
UPDATE provisioning_requests SET answer = :answer, mode = :mode WHERE id = :id AND status <> 'duplicate';

-- name: settle_answer!
-- What a key replays, where the process that should have noted it died.
UPDATE provisioning_requests SET answer = :answer WHERE id = :id AND answer IS NULL;

-- name: free_key!
-- A refusal is not remembered: the key may be used again.
UPDATE provisioning_requests SET idempotency_key = NULL WHERE id = :id AND status = 'duplicate';

-- name: retry
-- An admin takes failed requests up again: all attempts are there anew, and they are due at once. Of several with one
-- e-mail the newest, and none where somebody has it: a live request, or an auth user (but its own, from an earlier
-- attempt, is resumed). The sweep is told (several notifications of one transaction that say the same are one). In the order of their ids, so that two admins never lock crosswise.
WITH chosen AS MATERIALIZED (
    SELECT id, email, accepted_at FROM provisioning_requests
    WHERE id = ANY (:ids) AND status = 'failed' ORDER BY id FOR NO KEY UPDATE
), newest AS (
    SELECT DISTINCT ON (email) id FROM chosen c
    WHERE NOT EXISTS (SELECT 1 FROM provisioning_requests o
                      WHERE o.email = c.email AND o.status IN ('accepted', 'provisioned'))
      AND NOT EXISTS (SELECT 1 FROM auth.users u WHERE u.email IN (c.email, readable_email(c.email)) AND u.is_sso_user = false
                      AND u.raw_app_meta_data ->> 'tripwire_request_id' IS DISTINCT FROM c.id::text)
    ORDER BY email, accepted_at DESC
), retried AS (
    UPDATE provisioning_requests r
    SET status = 'accepted', attempts = 0, due_at = now(), finished_at = NULL, error = NULL,
        passing_failures = 0, passing_since = NULL
    FROM newest WHERE r.id = newest.id
    RETURNING r.id
), noted AS (
    INSERT INTO request_steps (request_id, step, facts)
    SELECT r.id, 'retried', jsonb_build_object('by', s.email) FROM retried r LEFT JOIN staff s ON s.id = :staff_id
)
SELECT id, pg_notify('tripwire_due', '') FROM retried;

-- name: get^
-- One request, with the state of its welcome mail. A manager (:only_staff) sees only their own.
SELECT r.id, r.email, r.full_name, r.status, r.mode, r.attempts, r.error, r.user_id, r.staff_id, r.accepted_at,
       r.finished_at, welcome_email_of(r.id) AS welcome_email
FROM provisioning_requests r
WHERE r.id = :id AND (:only_staff::uuid IS NULL OR r.staff_id = :only_staff);
