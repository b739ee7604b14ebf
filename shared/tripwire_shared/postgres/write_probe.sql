-- name: try_write^
-- Writes, unless somebody has done so within :every seconds: then it only asks whether this session may. A read-only
-- session refuses the statement in either case, before it touches a row.
-- The update finds a server that commits nothing any more. On a full disk it often succeeds, since it needs no new page;
-- so something is sorted out to a temporary file of some 100 kB as well, which needs room where the tables need it and
-- costs neither log nor table. The last column: sessions that begin now would be read-only, though this one is not.
WITH written AS (
    UPDATE write_probe SET written_at = clock_timestamp()
    WHERE written_at < clock_timestamp() - make_interval(secs => :every) RETURNING only_row
), memory AS MATERIALIZED (
    SELECT set_config('work_mem', '64kB', true) AS given FROM written
)
SELECT (SELECT count(*) FROM memory, LATERAL generate_series(1, 5000 + 0 * length(memory.given))) AS spilled,
       EXISTS (
           SELECT 1 FROM pg_db_role_setting, unnest(setconfig) AS setting
           WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
             AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
             AND setting ~* '^default_transaction_read_only=(on|true|yes|1)$') AS next_session_only_reads;
