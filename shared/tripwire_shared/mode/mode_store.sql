-- name: read_mode^
-- The mode as it stands, with who changed it last, when and why.
SELECT value, version, changed_at, changed_by, reason FROM system_config WHERE key = 'traffic_mode';

-- name: lock_mode^
-- The same, held against a second switch until the transaction ends.
SELECT value, version, changed_at, changed_by, reason FROM system_config WHERE key = 'traffic_mode' FOR UPDATE;

-- name: write_mode<!
-- The next version, its history, and the word to every listener: NOTIFY is delivered only if this commits.
WITH written AS (
    UPDATE system_config
    SET value = :mode, version = version + 1, changed_at = clock_timestamp(), changed_by = :changed_by, reason = :reason
    WHERE key = 'traffic_mode'
    RETURNING key, version, value, changed_at, changed_by, reason
), kept AS (
    INSERT INTO system_config_history (key, version, value, previous_value, changed_at, changed_by, reason)
    SELECT key, version, value, :previous_mode, changed_at, changed_by, reason FROM written
)
SELECT version, pg_notify('tripwire_mode', version::text) FROM written;

-- name: switches_since
-- The switches from a moment on, oldest first.
SELECT value AS mode, version, changed_at AS at, changed_by AS by, reason FROM system_config_history
WHERE key = 'traffic_mode' AND changed_at >= :since ORDER BY version;

-- name: write_receipt!
-- This process obeys this version now. The row is that of the listener's own database session.
INSERT INTO mode_receipts (backend_pid, backend_start, service, host, pid, version)
SELECT pid, backend_start, :service, :host, :process_id, :version FROM pg_stat_activity WHERE pid = pg_backend_pid()
ON CONFLICT (backend_pid, backend_start) DO UPDATE SET version = EXCLUDED.version, applied_at = clock_timestamp();

-- name: live_receipts
-- The processes alive now (their listener's session is there), and the version each obeys.
SELECT r.service, r.host, r.pid, r.version, r.applied_at
FROM mode_receipts r JOIN pg_stat_activity a ON a.pid = r.backend_pid AND a.backend_start = r.backend_start
ORDER BY r.host, r.pid;
