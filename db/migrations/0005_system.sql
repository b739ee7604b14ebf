-- Mode, receipts, health log, incidents.
-- depends: 0004_outbox

CREATE TABLE system_config (
    key        text PRIMARY KEY,
    value      text NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text,
    reason     text,
    CONSTRAINT traffic_mode_is_known CHECK (key <> 'traffic_mode' OR value IN ('async_queue', 'sync_direct'))
);
INSERT INTO system_config (key, value) VALUES ('traffic_mode', 'async_queue');

CREATE TABLE system_config_history (
    key            text NOT NULL REFERENCES system_config,
    version        integer NOT NULL,
    value          text NOT NULL,
    previous_value text NOT NULL,
    changed_at     timestamptz NOT NULL DEFAULT now(),
    changed_by     text,
    reason         text,
    PRIMARY KEY (key, version)
);

CREATE TABLE mode_receipts (
    backend_pid   integer NOT NULL,
    backend_start timestamptz NOT NULL,
    service       text NOT NULL,
    host          text NOT NULL,
    pid           integer NOT NULL,
    version       integer NOT NULL,
    applied_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (backend_pid, backend_start)
);

CREATE TABLE system_health_logs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type text NOT NULL CHECK (event_type IN ('INFO', 'WARNING', 'ERROR', 'CRITICAL', 'SWITCH')),
    message    text NOT NULL,
    metadata   jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX health_logs_by_time ON system_health_logs (created_at);
CREATE INDEX health_logs_by_type ON system_health_logs (event_type, id DESC);

CREATE TABLE incidents (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cause           text NOT NULL,
    opened_at       timestamptz NOT NULL DEFAULT now(),
    last_failure_at timestamptz NOT NULL DEFAULT now(),
    resolved_at     timestamptz,
    detail          text
);
CREATE UNIQUE INDEX one_open_incident_per_cause ON incidents (cause) WHERE resolved_at IS NULL;
CREATE INDEX incidents_newest_first ON incidents (opened_at DESC);

INSERT INTO system_config (key, value) VALUES ('health_log_retention_days', '7');

-- Removes what is past retention (the days stand in system_config, written there from the settings); returns the count.
CREATE FUNCTION cleanup_old_health_logs() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    removed integer;
BEGIN
    DELETE FROM system_health_logs
    WHERE created_at < now() - make_interval(days => (
        SELECT value::integer FROM system_config WHERE key = 'health_log_retention_days'));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
