-- The statements that move a request (accept, claim, finish, fail, retry), and those that read it.
-- Nobody else writes its state. The lock order everywhere: request, auth.users, tripwire_users, sale, activity, mail, event.

-- name: accept^
-- Stores a request in one round trip; no row where somebody has the e-mail or the key.
-- ON CONFLICT without a target: either unique index, or the same id sent twice after a lost answer.
-- `is_sso_user = false` is the condition of the unique index on auth.users: without it every accept reads that table whole.
INSERT INTO provisioning_requests (
    id, email, full_name, sealed_password, price, currency, staff_id, mode, answer, idempotency_key, fingerprint, due_at)
SELECT :id, :email, :full_name, :sealed_password, :price, :currency, :staff_id, :mode, :answer, :key, :fingerprint,
       now() + make_interval(secs => :head_start)
WHERE NOT EXISTS (SELECT 1 FROM auth.users WHERE email = :email AND is_sso_user = false)
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
   OR (email = :email AND status IN ('accepted', 'provisioned'))
ORDER BY id = :id DESC, same_key DESC
LIMIT 1;

-- name: find_auth_user$
-- The auth user with this e-mail, whoever made it.
SELECT id FROM auth.users WHERE email = :email AND is_sso_user = false LIMIT 1;

-- name: find_live^
-- The request that has the e-mail: under way, or provisioned.
SELECT id, user_id, staff_id FROM provisioning_requests WHERE email = :email AND status IN ('accepted', 'provisioned');

-- name: note_answer!
-- What the caller was told, where somebody else moved the request or the database was away.
UPDATE provisioning_requests SET answer = :answer, mode = :mode WHERE id = :id AND status <> 'duplicate';

-- name: settle_answer!
-- What a key replays, where the process that should have noted it died.
UPDATE provisioning_requests SET answer = :answer WHERE id = :id AND answer IS NULL;

-- name: free_key!
-- A refusal is not remembered: the key may be used again.
UPDATE provisioning_requests SET idempotency_key = NULL WHERE id = :id AND status = 'duplicate';

-- name: claim^
-- Takes a request for one attempt. The attempt is counted in this commit, so that one that kills its process counts.
WITH claimed AS (
    UPDATE provisioning_requests
    SET attempts = attempts + 1, claimed_by = :owner, due_at = now() + make_interval(secs => :lease),
        mode = CASE WHEN :fallback THEN 'fallback' ELSE mode END
    WHERE id = :id AND status = 'accepted' AND attempts < :max_attempts
      AND (due_at <= now() OR (:fast_lane AND attempts = 0))
    RETURNING id, attempts, email, full_name, sealed_password, price, currency, staff_id
), noted AS (
    INSERT INTO request_steps (request_id, step, detail)
    SELECT id, 'attempt_started', concat('attempt ', attempts, ' of ', :max_attempts, ', ', :door) FROM claimed
)
SELECT * FROM claimed;

-- name: claim_due
-- The sweep: takes requests that are due and that nobody holds, oldest first, at most :batch.
WITH picked AS (
    SELECT id FROM provisioning_requests
    WHERE status = 'accepted' AND due_at <= now() AND attempts < :max_attempts
    ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE provisioning_requests r
    SET attempts = attempts + 1, claimed_by = :owner, due_at = now() + make_interval(secs => :lease)
    FROM picked WHERE r.id = picked.id
    RETURNING r.id, attempts, email, full_name, sealed_password, price, currency, staff_id
), noted AS (
    INSERT INTO request_steps (request_id, step, detail)
    SELECT id, 'attempt_started', concat('attempt ', attempts, ' of ', :max_attempts, ', ', :door) FROM claimed
)
SELECT * FROM claimed;

-- name: anything_to_take$
-- Whether `claim_due` would find a request more than those that others are about to take: asked before a slot of the
-- pace is spent. Who is in a transaction that outlasts its lease (its process is frozen) holds its row, and nobody can
-- take it until the server ends that.
SELECT true FROM provisioning_requests
WHERE status = 'accepted' AND due_at <= now() AND attempts < :max_attempts
ORDER BY due_at OFFSET :beyond LIMIT 1 FOR UPDATE SKIP LOCKED;

-- name: exhausted
-- Due requests whose last attempt ended without a word (its process died): they have no attempt left.
SELECT id, attempts FROM provisioning_requests
WHERE status = 'accepted' AND due_at <= now() AND attempts >= :max_attempts
ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED;

-- name: next_due_in$
-- Seconds until the next request is due; null where none waits.
SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 FROM provisioning_requests WHERE status = 'accepted';

-- name: is_due$
-- Whether an attempt may begin: asked before a slot of the pace is spent.
SELECT true FROM provisioning_requests
WHERE id = :id AND status = 'accepted' AND (due_at <= now() OR attempts = 0);

-- name: lock_claimed$
-- Holds the row for the commit; no row where the claim was lost.
SELECT true FROM provisioning_requests WHERE id = :id AND status = 'accepted' AND claimed_by = :owner FOR UPDATE;

-- name: finish!
-- The end of a request, in the transaction that made the customer. A refusal gives its key back.
WITH finished AS (
    UPDATE provisioning_requests
    SET status = :status, user_id = :user_id, finished_at = clock_timestamp(), sealed_password = NULL, claimed_by = NULL,
        error = :error,
        answer = CASE WHEN :answer_now AND :status = 'provisioned' THEN 201 ELSE answer END,
        idempotency_key = CASE WHEN :status = 'duplicate' AND answer IS NULL THEN NULL ELSE idempotency_key END
    WHERE id = :id AND status = 'accepted' AND claimed_by = :owner
    RETURNING id
)
INSERT INTO request_steps (request_id, step, detail) SELECT id, :status, :detail FROM finished;

-- name: fail^
-- A failed attempt: due again after the backoff, or failed for good after the last one.
WITH failed AS (
    UPDATE provisioning_requests
    SET error = :error, claimed_by = NULL,
        due_at = now() + make_interval(secs => :backoff),
        status = CASE WHEN attempts >= :max_attempts THEN 'failed' ELSE 'accepted' END,
        finished_at = CASE WHEN attempts >= :max_attempts THEN clock_timestamp() END,
        answer = CASE WHEN :answer_now THEN coalesce(answer, 202) ELSE answer END
    WHERE id = :id AND status = 'accepted' AND claimed_by = :owner
    RETURNING id, status, attempts
), noted AS (
    INSERT INTO request_steps (request_id, step, detail)
    SELECT id, CASE status WHEN 'failed' THEN 'failed' ELSE 'attempt_failed' END, :error FROM failed
)
SELECT * FROM failed;

-- name: give_up!
-- A request without an attempt left ends as failed (its row is locked by `exhausted`).
WITH failed AS (
    UPDATE provisioning_requests
    SET status = 'failed', finished_at = clock_timestamp(), claimed_by = NULL, error = :error
    WHERE id = :id AND status = 'accepted'
    RETURNING id
)
INSERT INTO request_steps (request_id, step, detail) SELECT id, 'failed', :error FROM failed;

-- name: retry
-- An admin takes failed requests up again: all attempts are there anew, and they are due at once. Of several with one
-- e-mail the newest, and none where somebody has it: a live request, or an auth user (but its own, from an earlier
-- attempt, is resumed). In the order of their ids, so that two admins never lock crosswise.
WITH chosen AS MATERIALIZED (
    SELECT id, email, accepted_at FROM provisioning_requests
    WHERE id = ANY (:ids) AND status = 'failed' ORDER BY id FOR NO KEY UPDATE
), newest AS (
    SELECT DISTINCT ON (email) id FROM chosen c
    WHERE NOT EXISTS (SELECT 1 FROM provisioning_requests o
                      WHERE o.email = c.email AND o.status IN ('accepted', 'provisioned'))
      AND NOT EXISTS (SELECT 1 FROM auth.users u WHERE u.email = c.email AND u.is_sso_user = false
                      AND u.raw_app_meta_data ->> 'tripwire_request_id' IS DISTINCT FROM c.id::text)
    ORDER BY email, accepted_at DESC
), retried AS (
    UPDATE provisioning_requests r
    SET status = 'accepted', attempts = 0, due_at = now(), finished_at = NULL, error = NULL
    FROM newest WHERE r.id = newest.id
    RETURNING r.id
), noted AS (
    INSERT INTO request_steps (request_id, step, detail)
    SELECT r.id, 'retried', 'by ' || s.email FROM retried r LEFT JOIN staff s ON s.id = :staff_id
)
SELECT id FROM retried;

-- name: get^
-- One request, with the state of its welcome mail. A manager (:only_staff) sees only their own.
SELECT r.id, r.email, r.full_name, r.status, r.mode, r.attempts, r.error, r.user_id, r.staff_id, r.accepted_at,
       r.finished_at, welcome_email_of(r.id) AS welcome_email
FROM provisioning_requests r
WHERE r.id = :id AND (:only_staff::uuid IS NULL OR r.staff_id = :only_staff);
