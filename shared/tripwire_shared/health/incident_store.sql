-- The requests that first met an outage were accepted up to two time-outs before it was opened: hence the 2 seconds.
-- (An outage that returns within 10 seconds is the same incident, so they are never another's.)

-- name: continue_incident$
-- The open incident of the cause, or the one resolved moments before, goes on. A failure that was seen before it was
-- resolved (:at, told late) belongs to it, but does not open it again.
UPDATE incidents
SET opened_at = least(opened_at, coalesce(:at::timestamptz, now())), -- of two transactions the later one may be first
    last_failure_at = greatest(last_failure_at, coalesce(:at::timestamptz, clock_timestamp())),
    resolved_at = CASE WHEN resolved_at >= :at::timestamptz THEN resolved_at END
WHERE id = (SELECT id FROM incidents
            WHERE cause = :cause AND (resolved_at IS NULL OR resolved_at > coalesce(:at::timestamptz, now())
                                                                           - make_interval(secs => :reopen_within))
            ORDER BY resolved_at DESC NULLS FIRST LIMIT 1 FOR UPDATE)
RETURNING id;

-- name: open_incident$
-- One open incident for each cause; no row where another process was faster.
INSERT INTO incidents (cause, detail, opened_at, last_failure_at)
VALUES (:cause, :detail, coalesce(:at::timestamptz, now()), coalesce(:at::timestamptz, clock_timestamp()))
ON CONFLICT DO NOTHING RETURNING id;

-- name: resolve_incident^
-- Closes it, with its figures, where no process has seen a failure for a while.
UPDATE incidents i
SET resolved_at = clock_timestamp(), served_directly = served.requests, slowest_seconds = served.slowest,
    requests_failed = CASE WHEN i.cause = 'requests failing' THEN (
        SELECT count(*) FROM system_health_logs
        WHERE event_type = 'CRITICAL' AND message = :failed_message AND created_at >= i.opened_at) END
FROM incidents o LEFT JOIN LATERAL (
    SELECT count(*) AS requests, max(extract(epoch FROM finished_at - accepted_at))::float8 AS slowest
    FROM provisioning_requests
    WHERE mode = 'fallback' AND answer = 201 AND accepted_at >= o.opened_at - interval '2 seconds'
) served ON o.cause = 'queue unavailable'
WHERE o.id = i.id AND i.cause = :cause AND i.resolved_at IS NULL
  AND i.last_failure_at < clock_timestamp() - make_interval(secs => :quiet)
RETURNING i.opened_at, extract(epoch FROM i.resolved_at - i.opened_at)::float8 AS seconds,
          i.served_directly, i.slowest_seconds, i.requests_failed;

-- name: open_incidents
-- What is not over, the longest first, with the figures as they stand.
SELECT i.id, i.cause, i.opened_at, i.detail, served.requests AS served_directly, served.slowest AS slowest_seconds
FROM incidents i LEFT JOIN LATERAL (
    SELECT count(*) AS requests, max(extract(epoch FROM finished_at - accepted_at))::float8 AS slowest
    FROM provisioning_requests
    WHERE mode = 'fallback' AND answer = 201 AND accepted_at >= i.opened_at - interval '2 seconds'
) served ON i.cause = 'queue unavailable'
WHERE i.resolved_at IS NULL ORDER BY i.opened_at;

-- name: is_known$
-- Whether somebody has told of the failure of this cause that was seen at this time.
SELECT true FROM incidents WHERE cause = :cause AND (resolved_at IS NULL OR resolved_at >= :at::timestamptz) LIMIT 1;
