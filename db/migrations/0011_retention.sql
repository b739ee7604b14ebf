-- What grows ends: a heartbeat for the charts, and what the worker service's clean-up needs to remember.
-- depends: 0010_sets

-- A chart tells "off" from "nothing to do" by it.
CREATE TABLE measured_minutes (
    minute      timestamptz PRIMARY KEY,
    measured_at timestamptz NOT NULL DEFAULT now()
);

-- What is removed leaves its end behind.
ALTER TABLE tripwire_users ADD COLUMN mail_sent_at timestamptz;
ALTER TABLE staff ADD COLUMN last_seen_at timestamptz;

-- How the welcome mail of a request stands: pending, sent or failed; null where there never was one. The newest message
-- tells it; after that was removed, what the clean-up noted.
CREATE FUNCTION welcome_email_of(request uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT o.status FROM outbox o WHERE o.request_id = request AND o.channel = 'mail' ORDER BY o.id DESC LIMIT 1),
        (SELECT 'sent' FROM tripwire_users t WHERE t.request_id = request AND t.mail_sent_at IS NOT NULL))
$$;

-- Removes what is past retention (the days stand in system_config, written there from the settings); returns the count.
-- In batches, for two seconds at most, so that no statement limit ends it: where much is left, it is called again.
CREATE OR REPLACE FUNCTION cleanup_old_health_logs() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    batch_size constant integer := 2000;
    ends_at constant timestamptz := clock_timestamp() + interval '2 seconds';
    before constant timestamptz := now() - make_interval(days => (
        SELECT value::integer FROM system_config WHERE key = 'health_log_retention_days'));
    removed integer := 0;
    batch integer;
    reached timestamptz := '-infinity'; -- so that no batch looks again at what the ones before it removed
BEGIN
    LOOP
        WITH gone AS (
            DELETE FROM system_health_logs WHERE id = ANY (ARRAY(
                SELECT id FROM system_health_logs WHERE created_at >= reached AND created_at < before
                ORDER BY created_at LIMIT batch_size FOR UPDATE SKIP LOCKED))
            RETURNING created_at
        )
        SELECT count(*), coalesce(max(created_at), reached) INTO batch, reached FROM gone;
        removed := removed + batch;
        EXIT WHEN batch < batch_size OR clock_timestamp() > ends_at;
    END LOOP;
    RETURN removed;
END
$$;
