-- name: figures^
-- What waits, how long, what is open, and which mode is obeyed, at the moment of a scrape.
SELECT
    requests.waiting AS requests_waiting, requests.oldest AS oldest_request_seconds,
    mails.waiting AS mails_waiting, mails.oldest AS oldest_mail_seconds,
    alerts.waiting AS alerts_waiting, alerts.oldest AS oldest_alert_seconds,
    (SELECT coalesce(array_agg(cause), '{}') FROM incidents WHERE resolved_at IS NULL) AS open_causes,
    mode.value AS mode, mode.version AS mode_version,
    (SELECT min(r.version) FROM mode_receipts r
     JOIN pg_stat_activity a ON a.pid = r.backend_pid AND a.backend_start = r.backend_start) AS mode_version_obeyed
FROM
    (SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(accepted_at)), 0)::float8 AS oldest
     FROM provisioning_requests WHERE status = 'accepted') requests,
    (SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest
     FROM outbox WHERE channel = 'mail' AND status = 'pending') mails,
    -- Those that wait for the end of a minute to go out together are not late.
    (SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(ready_at)), 0)::float8 AS oldest
     FROM outbox WHERE channel = 'alert' AND status = 'pending' AND ready_at <= now()) alerts,
    (SELECT value, version FROM system_config WHERE key = 'traffic_mode') mode;

-- name: provisioned_seconds
-- Accept to provisioned, over the last five minutes, for each way that requests went.
SELECT mode, percentile_cont(:quantiles::float8[]) WITHIN GROUP (
    ORDER BY extract(epoch FROM finished_at - accepted_at)::float8) AS seconds
FROM provisioning_requests
WHERE status = 'provisioned' AND finished_at > now() - interval '5 minutes'
GROUP BY mode;
