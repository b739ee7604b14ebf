-- What PostgreSQL knows for the figures of System Health and for its charts.

-- name: figures^
-- All at once. What is counted over the whole of a table is counted in a small or partial index where there is one.
WITH recent AS (
    SELECT count(*) FILTER (WHERE status = 'provisioned') AS provisioned,
           count(*) FILTER (WHERE status = 'failed') AS failed
    FROM provisioning_requests WHERE finished_at > now() - interval '24 hours'
), half_of_last_hour AS (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE mode = 'async') AS queued,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE mode <> 'async') AS direct
    FROM (SELECT mode, date_part('epoch', finished_at - accepted_at) AS seconds FROM provisioning_requests
          WHERE finished_at > now() - interval '1 hour' AND status = 'provisioned') provisioned
), by_status AS (
    SELECT (SELECT count(*) FROM provisioning_requests WHERE status = 'accepted') AS accepted,
           (SELECT count(*) FROM provisioning_requests WHERE status = 'failed') AS failed,
           (SELECT count(*) FROM provisioning_requests WHERE status = 'duplicate') AS duplicate,
           (SELECT count(*) FROM tripwire_users) AS customers
)
SELECT by_status.*, recent.provisioned AS provisioned_24h, recent.failed AS failed_24h,
       half_of_last_hour.queued AS p50_queued, half_of_last_hour.direct AS p50_direct,
       (SELECT date_part('epoch', now() - min(accepted_at)) FROM provisioning_requests
        WHERE status = 'accepted') AS oldest_accepted_seconds,
       -- The newest mail of a request tells how it stands; nobody waits for an erased customer's.
       (SELECT count(*) FROM outbox o
        WHERE channel = 'mail' AND status = 'failed'
          AND NOT EXISTS (SELECT 1 FROM outbox newer
                          WHERE newer.request_id = o.request_id AND newer.channel = 'mail' AND newer.id > o.id)
          AND NOT EXISTS (SELECT 1 FROM tripwire_users t
                          WHERE t.request_id = o.request_id AND t.erased_at IS NOT NULL)) AS mails_failed,
       (SELECT count(*) FROM staff WHERE active) AS staff_active,
       (SELECT count(*) FROM staff_tokens t JOIN staff s ON s.id = t.staff_id
        WHERE s.active AND t.kind = 'api' AND t.revoked_at IS NULL
          AND t.expires_at > now() AND t.expires_at < now() + interval '7 days') AS tokens_ending_7d,
       (SELECT last_error FROM outbox WHERE channel = 'alert' AND status = 'pending' AND last_error IS NOT NULL
        ORDER BY ready_at, id LIMIT 1) AS telegram_detail,
       (SELECT finished_at FROM outbox WHERE channel = 'alert' AND status = 'sent'
        ORDER BY finished_at DESC LIMIT 1) AS last_alert_sent_at
FROM recent, half_of_last_hour, by_status;

-- name: history
-- Each bucket up to the one we are in, oldest first. Read bucket by bucket from one index: so each sorts only its own.
SELECT bucket AS at, finished.*
FROM generate_series(date_bin(make_interval(secs => :bucket), now(), 'epoch')
                         - make_interval(secs => :bucket * (:buckets - 1)),
                     now(), make_interval(secs => :bucket)) AS bucket
CROSS JOIN LATERAL (
    SELECT count(*) AS finished, count(*) FILTER (WHERE status = 'provisioned' AND mode = 'async') AS queued,
           count(*) FILTER (WHERE status = 'provisioned' AND mode = 'sync') AS direct,
           count(*) FILTER (WHERE status = 'provisioned' AND mode = 'fallback') AS fallback,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY date_part('epoch', finished_at - accepted_at))
               FILTER (WHERE status = 'provisioned') AS percentiles
    FROM provisioning_requests
    WHERE finished_at >= bucket AND finished_at < bucket + make_interval(secs => :bucket)
) finished ORDER BY bucket;
