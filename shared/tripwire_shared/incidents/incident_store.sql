-- The requests that first met an outage were accepted up to two time-outs before it was opened: hence the 2 seconds.
-- (Before an outage was all quiet for longer than that, so they are never another's.)
-- When a failure was seen is told as its age: hosts' clocks differ, and what counts is whether it was seen before the
-- moment at which this server said that the outage is over.

-- name: continue_incident$
-- The incident that a failure belongs to goes on: the first that was not over when it was seen. Where it is over by now
-- it stays so.
WITH seen AS (SELECT clock_timestamp() - make_interval(secs => :ago) AS at)
UPDATE incidents
SET opened_at = least(opened_at, seen.at, now()), -- of two transactions the later one may be first
    last_failure_at = greatest(last_failure_at, seen.at)
FROM seen
WHERE id = (SELECT i.id FROM incidents i, seen WHERE i.cause = :cause AND (i.resolved_at IS NULL OR i.resolved_at >= seen.at)
            ORDER BY i.resolved_at NULLS LAST LIMIT 1 FOR UPDATE OF i)
RETURNING id;

-- name: open_incident$
-- One open incident for each cause; no row where another process was faster.
INSERT INTO incidents (cause, detail, opened_at, last_failure_at)
SELECT :cause, :detail, least(at, now()), at FROM (SELECT clock_timestamp() - make_interval(secs => :ago) AS at) seen
ON CONFLICT DO NOTHING RETURNING opened_at;

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
SELECT i.id, i.cause, i.opened_at AS started_at, i.resolved_at AS ended_at, i.detail,
       served.requests AS served_synchronously, served.slowest AS slowest_seconds
FROM incidents i LEFT JOIN LATERAL (
    SELECT count(*) AS requests, max(extract(epoch FROM finished_at - accepted_at))::float8 AS slowest
    FROM provisioning_requests
    WHERE mode = 'fallback' AND answer = 201 AND accepted_at >= i.opened_at - interval '2 seconds'
) served ON i.cause = 'queue unavailable'
WHERE i.resolved_at IS NULL ORDER BY i.opened_at;

-- name: is_known$
-- Whether somebody has told of the failure of this cause that was seen so long ago.
SELECT true FROM incidents
WHERE cause = :cause AND (resolved_at IS NULL OR resolved_at >= clock_timestamp() - make_interval(secs => :ago)) LIMIT 1;
