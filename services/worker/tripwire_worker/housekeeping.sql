-- name: set_retention!
-- The settings' days, where the function finds them.
UPDATE system_config SET value = :days WHERE key = 'health_log_retention_days' AND value <> :days;

-- name: cleanup_health_logs$
-- Removes health events past retention.
SELECT cleanup_old_health_logs();

-- name: forget_login_failures!
-- Failed sign-ins that no throttle counts any more.
DELETE FROM login_failures WHERE at < now() - make_interval(secs => :window);

-- name: forget_dead_receipts!
-- Receipts of processes that have ended.
DELETE FROM mode_receipts r WHERE NOT EXISTS (
    SELECT 1 FROM pg_stat_activity a WHERE a.pid = r.backend_pid AND a.backend_start = r.backend_start);
