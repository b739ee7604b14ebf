-- Incidents as history: looked at, never changed (`incident.sql` does that).

-- name: page
-- Those that are open, however many, then the newest of the others, one more than the limit; :before goes on among the
-- others. Or :only one. A request is served by an outage of the queue where it was answered while that lasted; those that
-- first met it were accepted up to two time-outs earlier: hence the 2 seconds.
SELECT i.id, i.cause, i.opened_at AS started_at, i.resolved_at AS ended_at, i.detail, s.served_synchronously,
       s.slowest_seconds
FROM (
    SELECT * FROM incidents
    WHERE (:only::bigint IS NULL OR id = :only)
      AND (:before::bigint IS NULL OR (resolved_at IS NOT NULL AND id < :before))
    ORDER BY resolved_at IS NULL DESC, id DESC
    LIMIT greatest(:limit, (SELECT count(*) FROM incidents WHERE resolved_at IS NULL)) + 1
) i CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE answer = 201) AS served_synchronously,
           max(date_part('epoch', finished_at - accepted_at)) FILTER (WHERE answer = 201) AS slowest_seconds
    FROM provisioning_requests
    WHERE i.cause = :served_cause AND mode = 'fallback' AND accepted_at >= i.opened_at - interval '2 seconds'
      AND accepted_at <= coalesce(i.resolved_at, now())
) s
ORDER BY i.resolved_at IS NULL DESC, i.id DESC;

-- name: last_resolved$
-- The one that ended last.
SELECT id FROM incidents WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC, id DESC LIMIT 1;

-- name: outages
-- Whatever was open after a moment, oldest first.
SELECT cause, opened_at AS started_at, resolved_at AS ended_at FROM incidents
WHERE coalesce(resolved_at, now()) >= :since
ORDER BY opened_at, id;

-- name: availability
-- Each part in each bucket, the bucket that is not over yet included, by the outages alone.
WITH span AS (
    SELECT date_bin(make_interval(secs => :bucket), now(), 'epoch')
               - make_interval(secs => :bucket * (:buckets - 1)) AS since
), outage AS (
    SELECT cause, opened_at, coalesce(resolved_at, now()) AS ended_at FROM incidents, span
    WHERE coalesce(resolved_at, now()) > since
), cell AS (
    SELECT part, cause, number, bucket, least(bucket + make_interval(secs => :bucket), now()) AS until
    FROM unnest(:parts::text[], :causes::text[]) WITH ORDINALITY AS p (part, cause, number), span,
         generate_series(since, now(), make_interval(secs => :bucket)) AS bucket
), measured AS (
    SELECT cell.*, coalesce((
        SELECT sum(date_part('epoch', least(ended_at, until) - greatest(opened_at, bucket))) FROM outage
        WHERE outage.cause = cell.cause AND opened_at < until AND ended_at > bucket
    ), 0) AS down
    FROM cell
)
SELECT part, min(bucket) AS since, sum(down)::float8 AS down_seconds,
       (SELECT count(*) FROM outage WHERE outage.cause = measured.cause) AS outages,
       array_agg(CASE WHEN down = 0 THEN 'up'
                      WHEN down >= date_part('epoch', until - bucket) - 0.001 THEN 'down'
                      ELSE 'partly' END ORDER BY bucket) AS words
FROM measured GROUP BY part, cause, number ORDER BY number;
