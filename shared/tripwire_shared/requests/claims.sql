-- Claims: who works on a request, for how long, and what became of the attempt. Together with `accept` and `retry`
-- (request_store.sql) and `provision` (provisioning/customer_store.sql) these are all the statements that move a request.
-- A claim is fenced: every later statement names its owner, so that one whose lease ran out can change nothing.
-- Rows are named by arrays of ids, not joined: whatever the planner believes of the table, it then takes the index.

-- name: claim
-- Takes new requests (the queue's, or one that the API creates itself) for one attempt. The attempt is counted in this
-- commit, so that one that kills its process counts. Who has failed before goes another way: `claim_due`, alone.
WITH picked AS (
    SELECT id FROM provisioning_requests
    WHERE id = ANY (:ids) AND status = 'accepted' AND attempts = 0 AND (passing_failures = 0 OR due_at <= now())
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), claimed AS (
    UPDATE provisioning_requests r
    SET attempts = 1, claimed_by = :owner, due_at = now() + make_interval(secs => :lease),
        mode = CASE WHEN :fallback THEN 'fallback' ELSE mode END
    WHERE r.id = ANY (ARRAY (SELECT id FROM picked))
    RETURNING r.id, attempts, passing_failures, email, full_name, sealed_password, password_hash, staff_id
), noted AS (
    INSERT INTO request_steps (request_id, step, facts)
    SELECT id, 'attempt_started', jsonb_build_object('attempt', attempts, 'of', :max_attempts::integer, 'door', :door::text)
    FROM claimed
)
SELECT * FROM claimed;

-- name: claim_due
-- Takes what is due and nobody holds, the longest due first: either up to :batch that never failed, or one that did,
-- alone: it may be what killed its process, or what made a set's statement too slow.
WITH picked AS MATERIALIZED (
    SELECT id, due_at, attempts > 0 OR passing_failures > 0 AS alone FROM provisioning_requests
    WHERE status = 'accepted' AND due_at <= now() AND attempts < :max_attempts AND (:with_tried OR attempts = 0)
    ORDER BY due_at LIMIT :batch FOR NO KEY UPDATE SKIP LOCKED
), head AS (
    SELECT id, alone FROM picked ORDER BY due_at LIMIT 1
), claimed AS (
    UPDATE provisioning_requests r
    SET attempts = r.attempts + 1, claimed_by = :owner, due_at = now() + make_interval(secs => :lease)
    WHERE r.id = ANY (ARRAY (
        SELECT picked.id FROM picked, head
        WHERE CASE WHEN head.alone THEN picked.id = head.id ELSE NOT picked.alone END))
    RETURNING r.id, r.attempts, passing_failures, email, full_name, sealed_password, password_hash, staff_id
), noted AS (
    INSERT INTO request_steps (request_id, step, facts)
    SELECT id, 'attempt_started', jsonb_build_object('attempt', attempts, 'of', :max_attempts::integer, 'door', :door::text)
    FROM claimed
)
SELECT * FROM claimed;

-- name: waiting^
-- One look at what is due: how many (at most :most), and in how many seconds the next one is, null where none waits; and
-- those of whom the last attempt ended without a word (its process died): a lease is longer than an attempt may take.
-- These are looked for at the head of the line, which what is due longest reaches; so a backlog is not read whole.
SELECT (SELECT count(*) FROM (
            SELECT 1 FROM provisioning_requests
            WHERE status = 'accepted' AND due_at <= now() AND attempts < :max_attempts
            ORDER BY due_at LIMIT :most) AS due)::integer AS due,
       (SELECT extract(epoch FROM min(due_at) - clock_timestamp())
        FROM provisioning_requests WHERE status = 'accepted')::float8 AS next_due_in,
       ARRAY (SELECT id FROM (
                  SELECT id, attempts FROM provisioning_requests
                  WHERE status = 'accepted' AND due_at <= now() ORDER BY due_at LIMIT :look) AS head
              WHERE attempts >= :max_attempts) AS exhausted;

-- name: claimable$
-- How many of these could be claimed: asked before slots of the pace are spent.
SELECT count(*)::integer FROM provisioning_requests
WHERE id = ANY (:ids) AND status = 'accepted' AND attempts = 0 AND (passing_failures = 0 OR due_at <= now());

-- name: renew
-- The lease begins anew for what is still ours, and a password that was hashed meanwhile is gone but for its hash.
-- Locked in the order of ids, like everywhere.
WITH mine AS (
    SELECT id FROM provisioning_requests
    WHERE id = ANY (:ids) AND status = 'accepted' AND claimed_by = :owner ORDER BY id FOR NO KEY UPDATE
), hashed AS (
    SELECT * FROM unnest(:hashed_ids::uuid[], :hashes::text[]) AS hashed (id, password_hash)
)
UPDATE provisioning_requests r
SET due_at = now() + make_interval(secs => :lease),
    password_hash = coalesce(hashed.password_hash, r.password_hash),
    sealed_password = CASE WHEN hashed.id IS NULL THEN r.sealed_password END
FROM mine LEFT JOIN hashed USING (id) WHERE r.id = mine.id AND r.id = ANY (:ids)
RETURNING r.id;

-- name: fail
-- A failed attempt: due again after the backoff, of which the sweep is told, or failed for good after the last one, of
-- which those are told who wait for its end.
WITH mine AS (
    SELECT id FROM provisioning_requests
    WHERE id = ANY (:ids) AND status = 'accepted' AND claimed_by = :owner ORDER BY id FOR NO KEY UPDATE
), failed AS (
    UPDATE provisioning_requests r
    SET error = :error, claimed_by = NULL, passing_failures = 0, passing_since = NULL,
        due_at = now() + make_interval(secs => :pause),
        status = CASE WHEN attempts >= :max_attempts THEN 'failed' ELSE 'accepted' END,
        finished_at = CASE WHEN attempts >= :max_attempts THEN clock_timestamp() END,
        answer = CASE WHEN :answer_now THEN coalesce(answer, 202) ELSE answer END
    WHERE r.id = ANY (ARRAY (SELECT id FROM mine))
    RETURNING r.id, status, attempts
), noted AS (
    INSERT INTO request_steps (request_id, step, facts)
    SELECT id, CASE status WHEN 'failed' THEN 'failed' ELSE 'attempt_failed' END,
           jsonb_build_object('attempt', attempts, 'of', :max_attempts::integer, 'cause', :cause::text, 'text', :error::text)
    FROM failed
)
SELECT failed.*, CASE status WHEN 'failed' THEN pg_notify('tripwire_finished', id::text) ELSE pg_notify('tripwire_due', '') END
FROM failed;

-- name: put_off
-- An attempt that failed for a passing reason: not counted, due again after the pause; failed for good where that has
-- gone on for too long. The same are told as above.
WITH mine AS (
    SELECT id, coalesce(passing_since < now() - make_interval(secs => :at_most), false) AS over
    FROM provisioning_requests
    WHERE id = ANY (:ids) AND status = 'accepted' AND claimed_by = :owner ORDER BY id FOR NO KEY UPDATE
), put_off AS (
    UPDATE provisioning_requests r
    SET error = :error, claimed_by = NULL,
        due_at = now() + make_interval(secs => :pause),
        passing_failures = passing_failures + 1, passing_since = coalesce(passing_since, now()),
        attempts = CASE WHEN over THEN attempts ELSE attempts - 1 END,
        status = CASE WHEN over THEN 'failed' ELSE 'accepted' END,
        finished_at = CASE WHEN over THEN clock_timestamp() END,
        answer = CASE WHEN :answer_now THEN coalesce(answer, 202) ELSE answer END
    FROM mine WHERE r.id = mine.id AND r.id = ANY (:ids)
    RETURNING r.id, status, attempts, attempts + CASE WHEN over THEN 0 ELSE 1 END AS attempt
), noted AS (
    INSERT INTO request_steps (request_id, step, facts)
    SELECT id, CASE status WHEN 'failed' THEN 'failed' ELSE 'attempt_failed' END,
           jsonb_build_object('attempt', attempt, 'of', :max_attempts::integer, 'cause', :cause::text, 'text', :error::text)
    FROM put_off
)
SELECT put_off.*, CASE status WHEN 'failed' THEN pg_notify('tripwire_finished', id::text) ELSE pg_notify('tripwire_due', '') END
FROM put_off;

-- name: give_up
-- Ends them as failed, where nothing has moved them meanwhile.
WITH mine AS (
    SELECT id FROM provisioning_requests
    WHERE id = ANY (:ids) AND status = 'accepted' AND due_at <= now() AND attempts >= :max_attempts
    ORDER BY id FOR NO KEY UPDATE
), failed AS (
    UPDATE provisioning_requests r
    SET status = 'failed', finished_at = clock_timestamp(), claimed_by = NULL, error = :error
    WHERE r.id = ANY (ARRAY (SELECT id FROM mine))
    RETURNING r.id, attempts
), noted AS (
    INSERT INTO request_steps (request_id, step, facts)
    SELECT id, 'failed',
           jsonb_build_object('attempt', attempts, 'of', :max_attempts::integer, 'cause', :cause::text, 'text', :error::text)
    FROM failed
)
SELECT failed.*, pg_notify('tripwire_finished', id::text) FROM failed;
