-- The requests that first met an outage were accepted up to two time-outs before it was opened: hence the 2 seconds.
-- (An outage that returns within 10 seconds is the same incident, so they are never another's.)

-- name: continue_incident$
-- The open incident of the cause, or the one resolved moments ago, goes on.
UPDATE incidents SET last_failure_at = clock_timestamp(), resolved_at = NULL
WHERE id = (SELECT id FROM incidents WHERE cause = :cause
              AND (resolved_at IS NULL OR resolved_at > now() - make_interval(secs => :reopen_within))
            ORDER BY resolved_at DESC NULLS FIRST LIMIT 1 FOR UPDATE)
RETURNING id;

-- name: open_incident$
-- One open incident for each cause; no row where another process was faster.
INSERT INTO incidents (cause, detail, opened_at) VALUES (:cause, :detail, coalesce(:at::timestamptz, now()))
ON CONFLICT DO NOTHING RETURNING id;

-- name: resolve_incident^
-- Closes it where no process has seen a failure for a while.
UPDATE incidents SET resolved_at = clock_timestamp()
WHERE cause = :cause AND resolved_at IS NULL AND last_failure_at < clock_timestamp() - make_interval(secs => :quiet)
RETURNING opened_at, extract(epoch FROM resolved_at - opened_at)::float8 AS seconds,
          (SELECT count(*) FROM provisioning_requests
           WHERE mode = 'fallback' AND answer = 201 AND accepted_at >= incidents.opened_at - interval '2 seconds'
          ) AS served_directly;

-- name: open_incidents
-- What is not over, the longest first.
SELECT id, cause, opened_at, detail,
       (SELECT count(*) FROM provisioning_requests
        WHERE mode = 'fallback' AND answer = 201 AND accepted_at >= incidents.opened_at - interval '2 seconds'
       ) AS served_directly
FROM incidents WHERE resolved_at IS NULL ORDER BY opened_at;

-- name: is_open$
-- Whether an incident of the cause is open.
SELECT true FROM incidents WHERE cause = :cause AND resolved_at IS NULL;
