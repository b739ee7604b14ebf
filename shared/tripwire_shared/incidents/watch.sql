-- name: signs^
-- What the tables show of things that fail without a failed call: mails, alerts, work that nobody takes up.
-- A mail that was refused before another got through is one address' trouble, not the mail server's.
WITH mail AS (
    SELECT count(*) AS failing, min(failing_since) AS since, min(last_error) AS reason FROM outbox
    WHERE channel = 'mail' AND status = 'pending' AND failing_since IS NOT NULL AND failing_since > coalesce(
        (SELECT max(finished_at) FROM outbox WHERE channel = 'mail' AND status = 'sent'), '-infinity')
), head AS (
    -- Waiting since it came in, or, after an attempt or an admin's retry, since it was due.
    SELECT CASE WHEN attempts = 0 AND due_at <= accepted_at + make_interval(secs => :head_start + 1) THEN accepted_at
                ELSE due_at END AS since
    FROM provisioning_requests WHERE status = 'accepted' ORDER BY due_at LIMIT 1
)
SELECT
    (SELECT coalesce(array_agg(cause), '{}') FROM incidents WHERE resolved_at IS NULL) AS open,
    -- Of which something waits to be told.
    (SELECT coalesce(array_agg(body #>> '{details,cause}') FILTER (WHERE body #> '{details,cause}' IS NOT NULL), '{}')
     FROM outbox WHERE channel = 'alert' AND status = 'pending') AS untold,
    (SELECT value FROM system_config WHERE key = 'telegram_chat_moved') AS chat_moved,
    CASE WHEN mail.failing > 1 OR mail.since < now() - make_interval(secs => :mail_after) THEN mail.reason END AS mail,
    (SELECT last_error FROM outbox
     WHERE channel = 'alert' AND status = 'pending' AND failing_since IS NOT NULL LIMIT 1) AS alerts,
    -- CASE, so that the second part is asked only when something has waited that long.
    CASE WHEN head.since < now() - make_interval(secs => :absent_after) THEN CASE WHEN NOT EXISTS (
        -- finished, and not by the API itself
        SELECT 1 FROM provisioning_requests
        WHERE finished_at > now() - make_interval(secs => :absent_after) AND answer IS DISTINCT FROM 201
    ) AND NOT EXISTS (
        -- claimed: a claim sets due_at some seconds ahead
        SELECT 1 FROM provisioning_requests
        WHERE status = 'accepted' AND attempts > 0 AND due_at > now() - make_interval(secs => :absent_after)
    ) THEN extract(epoch FROM now() - head.since)::float8 END END AS nothing_taken_for
FROM mail LEFT JOIN head ON true;
