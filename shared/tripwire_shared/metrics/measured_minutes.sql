-- Minutes that a sweep process saw the end of: the heartbeat behind charts, and what was provisioned in each.

-- name: measure
-- Notes the minutes that ended while the caller watched (:watched seconds, of which at most :at_most), each once over
-- all sweep processes, and gives what finished in those that are new. Two that write at once: the second waits for the
-- first and finds them taken. A minute is over :delay seconds after its end, when all that finished in it is committed.
WITH span AS (
    SELECT date_trunc('minute', at - make_interval(secs => least(:watched::float8, :at_most))) AS first,
           date_trunc('minute', at) - interval '1 minute' AS last
    FROM (SELECT now() - make_interval(secs => :delay) AS at) ended
), measured AS (
    INSERT INTO measured_minutes (minute)
    SELECT generate_series(first, last, interval '1 minute') FROM span
    ON CONFLICT DO NOTHING
    RETURNING minute
)
SELECT minute, minute = span.last AS is_last, finished.*
FROM measured CROSS JOIN span CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE status = 'provisioned' AND mode = 'async') AS queued,
           count(*) FILTER (WHERE status = 'provisioned' AND mode = 'sync') AS direct,
           count(*) FILTER (WHERE status = 'provisioned' AND mode = 'fallback') AS fallback,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY date_part('epoch', finished_at - accepted_at))
               FILTER (WHERE status = 'provisioned') AS percentiles
    FROM provisioning_requests WHERE finished_at >= minute AND finished_at < minute + interval '1 minute'
) finished
WHERE queued + direct + fallback + failed > 0
ORDER BY minute;

-- name: next_in$
-- Seconds until the minute we are in can be measured.
SELECT extract(epoch FROM date_trunc('minute', at) + interval '1 minute' - at)::float8
FROM (SELECT clock_timestamp() - make_interval(secs => :delay) AS at) ended;

-- name: measured_buckets
-- The beginnings of those spans of time in which somebody measured. What comes after the last minute measured counts as
-- well, while that one is so young that the next is not overdue.
WITH heartbeat AS (
    SELECT max(minute) AS minute FROM measured_minutes WHERE minute > now() - make_interval(secs => :overdue)
)
SELECT bucket FROM generate_series(:since::timestamptz, now(), make_interval(secs => :bucket)) AS bucket, heartbeat
WHERE bucket > heartbeat.minute
   OR EXISTS (SELECT 1 FROM measured_minutes m
              WHERE m.minute >= bucket AND m.minute < bucket + make_interval(secs => :bucket));
