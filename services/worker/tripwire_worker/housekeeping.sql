-- What is over goes, batch by batch: each statement looks at some thousand rows at most. What grows with time alone has
-- ids that grow with it too: the oldest rows are the first by id, and no index on a time is needed. What a batch removes
-- is named by an array, so that it is found by an index whatever the planner takes the size of the table to be.

-- name: is_our_turn$
-- One host at a time, until the transaction ends.
SELECT pg_try_advisory_xact_lock(hashtext('tripwire housekeeping'));

-- name: set_retention!
-- The settings' days, where the function finds them.
UPDATE system_config SET value = :days WHERE key = 'health_log_retention_days' AND value <> :days;

-- name: health_events$
-- What the function removed within its own limit of time.
SELECT cleanup_old_health_logs();

-- name: ended_tokens$
-- Sessions and tokens that have ended, of which staff keep when they were used last.
WITH gone AS (
    DELETE FROM staff_tokens WHERE id = ANY (ARRAY(
        SELECT id FROM staff_tokens
        WHERE least(revoked_at, expires_at) < now() - make_interval(
            secs => CASE kind WHEN 'session' THEN :sessions_kept ELSE :tokens_kept END)
        LIMIT :batch))
    RETURNING staff_id, last_used_at
), seen AS (
    UPDATE staff s SET last_seen_at = greatest(s.last_seen_at, used.at)
    FROM (SELECT staff_id, max(last_used_at) AS at FROM gone GROUP BY staff_id) used
    WHERE s.id = used.staff_id AND used.at IS NOT NULL
)
SELECT count(*) FROM gone;

-- name: alerts$
-- By their index; those that wait have no end.
WITH gone AS (
    DELETE FROM outbox WHERE id = ANY (ARRAY(
        SELECT id FROM outbox WHERE channel = 'alert' AND finished_at < now() - make_interval(secs => :kept)
        ORDER BY finished_at LIMIT :batch))
    RETURNING id
)
SELECT count(*) FROM gone;

-- name: mails^
-- From the message after :after on: mails that were sent, with the steps and links of their request from that time, and
-- mails that were given up and followed by another one. So what tells how a request ended stays: the mail that failed
-- last (somebody may have to see to it), or the time of the one that was sent last.
WITH looked_at AS (
    SELECT id, channel, status, user_id, request_id, created_at, finished_at FROM outbox
    WHERE id > :after ORDER BY id LIMIT :batch
), mail AS (
    SELECT * FROM looked_at l
    WHERE channel = 'mail' AND finished_at < now() - make_interval(secs => :kept)
      AND (status = 'sent' OR EXISTS (SELECT 1 FROM outbox newer WHERE newer.request_id = l.request_id
                                        AND newer.channel = 'mail' AND newer.id > l.id))
), noted AS (
    UPDATE tripwire_users t SET mail_sent_at = sent.at
    FROM (SELECT request_id, max(finished_at) AS at FROM mail WHERE status = 'sent' GROUP BY request_id) sent
    WHERE t.request_id = sent.request_id AND t.request_id = ANY (ARRAY(SELECT request_id FROM mail))
), steps AS (
    DELETE FROM request_steps WHERE request_id = ANY (ARRAY(SELECT request_id FROM mail WHERE status = 'sent'))
                                AND at < now() - make_interval(secs => :kept)
), links AS (
    DELETE FROM invitations WHERE user_id = ANY (ARRAY(SELECT user_id FROM mail WHERE status = 'sent'))
                              AND created_at < now() - make_interval(secs => :kept)
), gone AS (
    DELETE FROM outbox WHERE id = ANY (ARRAY(SELECT id FROM mail)) RETURNING id
)
SELECT (SELECT count(*) FROM gone) AS changed, coalesce(max(id), :after) AS last,
       count(*) = :batch AND max(created_at) < now() - make_interval(secs => :kept) AS more
FROM looked_at;

-- name: steps_of_duplicates$
-- They had no mail. Of requests that failed the steps stay until they are retried.
WITH over AS (
    SELECT id FROM provisioning_requests r
    WHERE status = 'duplicate' AND finished_at < now() - make_interval(secs => :kept)
      AND EXISTS (SELECT 1 FROM request_steps WHERE request_id = r.id)
    LIMIT :batch
), gone AS (
    DELETE FROM request_steps WHERE request_id = ANY (ARRAY(SELECT id FROM over))
)
SELECT count(*) FROM over;

-- name: activity$
WITH gone AS (
    DELETE FROM sales_activity_log WHERE id = ANY (ARRAY(
        SELECT id FROM (SELECT id, created_at FROM sales_activity_log ORDER BY id LIMIT :batch) oldest
        WHERE created_at < now() - make_interval(secs => :kept)))
    RETURNING id
)
SELECT count(*) FROM gone;

-- name: activity_addresses^
-- From the entry after :after on: the addresses of those that are old.
WITH looked_at AS (
    SELECT id, created_at FROM sales_activity_log WHERE id > :after ORDER BY id LIMIT :batch
), old AS (
    SELECT id FROM looked_at WHERE created_at < now() - make_interval(secs => :kept)
), changed AS (
    UPDATE sales_activity_log SET address = NULL
    WHERE id = ANY (ARRAY(SELECT id FROM old)) AND address IS NOT NULL RETURNING id
)
SELECT (SELECT count(*) FROM changed) AS changed, coalesce((SELECT max(id) FROM old), :after) AS last,
       (SELECT count(*) FROM old) = :batch AS more;

-- name: incidents$
WITH gone AS (
    DELETE FROM incidents WHERE id = ANY (ARRAY(
        SELECT id FROM incidents WHERE resolved_at < now() - make_interval(secs => :kept) LIMIT :batch))
    RETURNING id
)
SELECT count(*) FROM gone;

-- name: deploys$
WITH gone AS (
    DELETE FROM deploys WHERE id = ANY (ARRAY(
        SELECT id FROM deploys WHERE finished_at < now() - make_interval(secs => :kept) ORDER BY id LIMIT :batch))
    RETURNING id
)
SELECT count(*) FROM gone;

-- name: switches$
WITH gone AS (
    DELETE FROM system_config_history WHERE (key, version) IN (
        SELECT key, version FROM system_config_history
        WHERE changed_at < now() - make_interval(secs => :kept) LIMIT :batch)
    RETURNING version
)
SELECT count(*) FROM gone;

-- name: measured_minutes$
WITH gone AS (
    DELETE FROM measured_minutes WHERE minute = ANY (ARRAY(
        SELECT minute FROM measured_minutes WHERE minute < now() - make_interval(secs => :kept)
        ORDER BY minute LIMIT :batch))
    RETURNING minute
)
SELECT count(*) FROM gone;

-- name: login_failures$
-- Failed sign-ins that no throttle counts any more.
WITH gone AS (
    DELETE FROM login_failures WHERE id = ANY (ARRAY(
        SELECT id FROM (SELECT id, at FROM login_failures ORDER BY id LIMIT :batch) oldest
        WHERE at < now() - make_interval(secs => :kept)))
    RETURNING id
)
SELECT count(*) FROM gone;

-- name: requests_to_fold
-- Requests that a search cannot look into yet: of an earlier version, or with another name or address since. Not those
-- that somebody holds: their turn comes.
SELECT id, full_name, email FROM provisioning_requests WHERE search_text IS NULL
ORDER BY accepted_at DESC, id DESC LIMIT :batch FOR NO KEY UPDATE SKIP LOCKED;

-- name: note_folded_requests!
UPDATE provisioning_requests r SET search_text = folded.text
FROM unnest(:ids::uuid[], :texts::text[]) AS folded (id, text) WHERE r.id = folded.id AND r.id = ANY (:ids);

-- name: customers_to_fold
SELECT id, full_name, email FROM tripwire_users WHERE search_text IS NULL
ORDER BY created_at DESC, user_id DESC LIMIT :batch FOR NO KEY UPDATE SKIP LOCKED;

-- name: note_folded_customers!
UPDATE tripwire_users t SET search_text = folded.text
FROM unnest(:ids::uuid[], :texts::text[]) AS folded (id, text) WHERE t.id = folded.id AND t.id = ANY (:ids);

-- name: dead_receipts$
-- Receipts of processes that have ended.
WITH gone AS (
    DELETE FROM mode_receipts WHERE (backend_pid, backend_start) IN (
        SELECT backend_pid, backend_start FROM mode_receipts r
        WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity a
                          WHERE a.pid = r.backend_pid AND a.backend_start = r.backend_start)
        LIMIT :batch)
    RETURNING backend_pid
)
SELECT count(*) FROM gone;
