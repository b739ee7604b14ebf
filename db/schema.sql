-- The schema as the migrations leave it: their sum, to be read. Databases are made by `make migrate`, never from this
-- file; tests/rules/test_schema_sql_equals_the_migrations.py proves that both give the same.

-- Staff: who uses the system, as a sales manager or as an admin.
CREATE TABLE staff (
    id            uuid PRIMARY KEY,
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    full_name     text NOT NULL,
    role          text NOT NULL CHECK (role IN ('sales', 'admin')),
    password_hash text, -- argon2; without one the account is used by its tokens alone
    active        boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz -- with any token that has been removed since; later uses stand with the tokens
);

-- Bearer tokens, of sessions and of programs; only their SHA-256 is kept.
CREATE TABLE staff_tokens (
    id           uuid PRIMARY KEY,
    staff_id     uuid NOT NULL REFERENCES staff,
    token_hash   bytea NOT NULL UNIQUE,
    kind         text NOT NULL CHECK (kind IN ('session', 'api')),
    name         text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   uuid REFERENCES staff,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz -- to the minute; not indexed, so that noting a use touches no index
);
CREATE INDEX staff_tokens_of_staff ON staff_tokens (staff_id, created_at);

-- Failed sign-ins of the last minute: what the throttle counts.
CREATE TABLE login_failures (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email   text NOT NULL,
    address text NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_failures_of_address ON login_failures (address, at);

-- The people who can sign in to the academy. On Supabase this table is there, belongs to somebody else and is never
-- altered; elsewhere it is made as a subset of Supabase's columns, so that one INSERT serves both.
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    instance_id            uuid,
    id                     uuid PRIMARY KEY,
    aud                    varchar(255),
    role                   varchar(255),
    email                  varchar(255),
    encrypted_password     varchar(255),
    email_confirmed_at     timestamptz,
    confirmation_token     varchar(255),
    recovery_token         varchar(255),
    email_change_token_new varchar(255),
    email_change           varchar(255),
    raw_app_meta_data      jsonb, -- tripwire_request_id: the request that made this user
    raw_user_meta_data     jsonb,
    created_at             timestamptz,
    updated_at             timestamptz,
    is_sso_user            boolean NOT NULL DEFAULT false,
    deleted_at             timestamptz
);
CREATE UNIQUE INDEX users_email_partial_key ON auth.users (email) WHERE is_sso_user = false;

-- What punycode writes (RFC 3492, without the xn--), in its own script; null where it is none.
CREATE FUNCTION punycode_decoded(written text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    decoded text := coalesce(substring(written FROM '^(.*)-'), '');
    rest text := regexp_replace(written, '^.*-', '');
    point bigint := 128;
    place bigint := 0;
    bias bigint := 72;
    damp integer := 700;
    before bigint;
    weight bigint;
    digit integer;
    threshold bigint;
    delta bigint;
BEGIN
    WHILE rest <> '' LOOP
        before := place;
        weight := 1;
        FOR k IN 1..10 LOOP
            digit := strpos('abcdefghijklmnopqrstuvwxyz0123456789', left(rest, 1)) - 1;
            IF rest = '' OR digit < 0 OR weight > 100000000 THEN
                RETURN NULL;
            END IF;
            rest := substr(rest, 2);
            place := place + digit * weight;
            threshold := least(greatest(36 * k - bias, 1), 26);
            EXIT WHEN digit < threshold;
            weight := weight * (36 - threshold);
        END LOOP;
        delta := (place - before) / damp;
        damp := 2;
        delta := delta + delta / (length(decoded) + 1);
        bias := 0;
        WHILE delta > 455 LOOP
            delta := delta / 35;
            bias := bias + 36;
        END LOOP;
        bias := bias + 36 * delta / (delta + 38);
        point := point + place / (length(decoded) + 1);
        place := place % (length(decoded) + 1);
        IF point > 1114111 OR point BETWEEN 55296 AND 57343 THEN
            RETURN NULL;
        END IF;
        decoded := left(decoded, place::integer) || chr(point::integer) || substr(decoded, place::integer + 1);
        place := place + 1;
    END LOOP;
    RETURN decoded;
END
$$;

-- An address as people read it, and as others may have kept it: for comparing with theirs.
CREATE FUNCTION readable_email(email text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(email, 'xn--') = 0 THEN email ELSE
        regexp_replace(email, '[^@]*$', '') || (
            SELECT string_agg(CASE WHEN label LIKE 'xn--%' THEN coalesce(punycode_decoded(substr(label, 5)), label)
                                   ELSE label END, '.' ORDER BY n)
            FROM regexp_split_to_table(regexp_replace(email, '^.*@', ''), '\.') WITH ORDINALITY AS labels (label, n))
    END
$$;

-- For indexes that a search goes by.
CREATE EXTENSION pg_trgm;

-- Whoever changes a name or an address need not know of the text in which a search looks: it goes, and is folded anew.
CREATE FUNCTION forget_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_text := NULL;
    RETURN NEW;
END
$$;

-- Requests: the wish to provision a customer, and the whole truth about it. Only requests/request_store.sql moves them.
-- Here and in what each customer fills, columns that name staff have no foreign key: staff are never deleted, and checking
-- it locked one row for all customers of a manager. Neither have steps and messages one to their request.
CREATE TABLE provisioning_requests (
    id              uuid PRIMARY KEY,
    email           text NOT NULL CHECK (email = lower(email)),
    full_name       text NOT NULL,
    sealed_password text, -- encrypted, until a worker has hashed it
    price           integer NOT NULL CHECK (price BETWEEN 0 AND 1000000000),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    staff_id        uuid NOT NULL,
    status          text NOT NULL DEFAULT 'accepted' CHECK (status IN ('accepted', 'provisioned', 'duplicate', 'failed')),
    mode            text NOT NULL CHECK (mode IN ('async', 'sync', 'fallback')),
    attempts        integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    claimed_by      text, -- whose attempt it is; nobody else may commit it
    due_at          timestamptz NOT NULL, -- from then on anybody may claim it: head start, lease and backoff in one
    error           text,
    user_id         uuid,
    answer          smallint CHECK (answer IN (201, 202)), -- what the idempotency key replays
    idempotency_key text,
    fingerprint     bytea, -- HMAC of the body that came with the key
    accepted_at     timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    password_hash    text, -- argon2, from being hashed to the auth user's row
    passing_failures integer NOT NULL DEFAULT 0, -- failures in a row that pass by themselves, and since when
    passing_since    timestamptz,
    search_text      text, -- name and address as a search looks into them (search_text.py); null until they are folded
    CONSTRAINT finished_has_time CHECK ((status = 'accepted') = (finished_at IS NULL)),
    CONSTRAINT provisioned_has_user CHECK (status <> 'provisioned' OR user_id IS NOT NULL),
    CONSTRAINT finished_has_no_password CHECK (status IN ('accepted', 'failed') OR sealed_password IS NULL)
);
-- 'provisioned' belongs into it: docs/decisions/0007-provisioned-in-the-unique-index.md.
CREATE UNIQUE INDEX one_live_request_per_email ON provisioning_requests (email)
    WHERE status IN ('accepted', 'provisioned');
CREATE UNIQUE INDEX one_request_per_key ON provisioning_requests (staff_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX due ON provisioning_requests (due_at) WHERE status = 'accepted';
CREATE INDEX requests_newest_first ON provisioning_requests (accepted_at DESC, id DESC);
CREATE INDEX requests_of_staff ON provisioning_requests (staff_id, accepted_at DESC, id DESC);
-- Of those that are over; a live one is found by the unique index.
CREATE INDEX requests_over_by_email ON provisioning_requests (email) WHERE status NOT IN ('accepted', 'provisioned');
-- For the charts, which read nothing else of a request.
CREATE INDEX requests_finished ON provisioning_requests (finished_at) INCLUDE (accepted_at, status, mode)
    WHERE finished_at IS NOT NULL;
CREATE INDEX requests_failed ON provisioning_requests (accepted_at DESC, id DESC) WHERE status = 'failed';
CREATE INDEX requests_duplicate ON provisioning_requests (accepted_at DESC, id DESC) WHERE status = 'duplicate';
CREATE INDEX requests_in_fallback ON provisioning_requests (accepted_at) WHERE mode = 'fallback';
CREATE INDEX requests_to_fold ON provisioning_requests (accepted_at DESC, id DESC) WHERE search_text IS NULL;
-- Not those that are accepted: accepting costs no more by it, and they are few and found by `due`.
CREATE INDEX requests_searched ON provisioning_requests USING gin (search_text gin_trgm_ops)
    WITH (gin_pending_list_limit = 256) WHERE status <> 'accepted';
CREATE TRIGGER forget_search_text BEFORE UPDATE OF email, full_name ON provisioning_requests
    FOR EACH ROW WHEN (NEW.search_text IS NOT DISTINCT FROM OLD.search_text) EXECUTE FUNCTION forget_search_text();

-- What happened to a request, step by step: its timeline.
CREATE TABLE request_steps (
    id         bigint GENERATED ALWAYS AS IDENTITY,
    request_id uuid NOT NULL,
    step       text NOT NULL,
    detail     text,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    facts      jsonb,
    PRIMARY KEY (request_id, id)
);

-- Customers: one for each auth user, e-mail and request. `user_id` is auth.users.id, by design without a foreign key:
-- the other table is not ours.
CREATE TABLE tripwire_users (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL UNIQUE,
    request_id uuid NOT NULL UNIQUE REFERENCES provisioning_requests,
    email      text NOT NULL UNIQUE CHECK (email = lower(email)),
    full_name  text NOT NULL,
    status     text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'completed', 'blocked')),
    granted_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    erased_at  timestamptz, -- the person's data are gone; the row, its request and its sale stay
    mail_sent_at timestamptz, -- when the last welcome mail went out whose message has been removed since
    link_asked_at timestamptz, -- when staff last asked for a new link
    search_text text -- as in requests
);
CREATE INDEX customers_to_fold ON tripwire_users (created_at DESC, user_id DESC) WHERE search_text IS NULL;
CREATE INDEX customers_searched ON tripwire_users USING gin (search_text gin_trgm_ops)
    WITH (gin_pending_list_limit = 256);
CREATE TRIGGER forget_search_text BEFORE UPDATE OF email, full_name ON tripwire_users
    FOR EACH ROW WHEN (NEW.search_text IS NOT DISTINCT FROM OLD.search_text) EXECUTE FUNCTION forget_search_text();
CREATE INDEX customers_of_staff ON tripwire_users (granted_by, created_at DESC);
CREATE INDEX customers_newest_first ON tripwire_users (created_at DESC, user_id DESC);
-- Most customers are active, and those stand close together in the index above.
CREATE INDEX customers_not_active ON tripwire_users (status, created_at DESC, user_id DESC) WHERE status <> 'active';

-- Sales: the charge, one for each provisioned request and each customer.
CREATE TABLE sales (
    id         uuid PRIMARY KEY,
    request_id uuid NOT NULL UNIQUE REFERENCES provisioning_requests,
    user_id    uuid NOT NULL UNIQUE REFERENCES tripwire_users (user_id),
    manager_id uuid NOT NULL,
    amount     integer NOT NULL,
    currency   text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sales_of_manager ON sales (manager_id, created_at);
CREATE INDEX sales_by_time ON sales (created_at);

-- Who did what; customers stand here by id only.
CREATE TABLE sales_activity_log (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staff_id   uuid,
    action     text NOT NULL,
    user_id    uuid,
    request_id uuid,
    detail     jsonb NOT NULL DEFAULT '{}',
    address    text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX activity_of_staff ON sales_activity_log (staff_id, id DESC);
CREATE INDEX activity_of_request ON sales_activity_log (request_id) WHERE request_id IS NOT NULL;

-- One-time links on which customers set their password; the link is derived from the id, nothing secret is kept.
CREATE TABLE invitations (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    revoked_at timestamptz
);
CREATE INDEX invitations_of_user ON invitations (user_id);

-- The pace of all workers on all hosts: one row, the last slot that was granted.
CREATE TABLE worker_pace (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_slot timestamptz NOT NULL
);
INSERT INTO worker_pace (last_slot) VALUES ('-infinity');

-- The outbox: welcome mails and alerts, stored with what caused them, then delivered under a lease.
CREATE TABLE outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel       text NOT NULL CHECK (channel IN ('mail', 'alert')),
    status        text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed')),
    user_id       uuid,
    request_id    uuid,
    invitation_id uuid, -- the link in it, which may be gone before the message
    body          jsonb NOT NULL DEFAULT '{}',
    merge_key     text,
    ready_at      timestamptz NOT NULL DEFAULT now(), -- its place in the order
    due_at        timestamptz NOT NULL DEFAULT now(), -- lease and backoff
    claimed_by    text,
    attempts      integer NOT NULL DEFAULT 0,
    last_error    text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    failing_since timestamptz, -- its first failed delivery
    unanswered    integer NOT NULL DEFAULT 0, -- how often it was out without an answer
    CONSTRAINT mail_names_its_customer CHECK (channel <> 'mail' OR (user_id IS NOT NULL AND request_id IS NOT NULL))
);
CREATE INDEX alerts_pending ON outbox (ready_at, id) WHERE channel = 'alert' AND status = 'pending';
CREATE INDEX mails_due ON outbox (due_at) WHERE channel = 'mail' AND status = 'pending';
CREATE INDEX outbox_of_request ON outbox (request_id, id) WHERE channel = 'mail';
-- Alerts that wait to go out together are one row.
CREATE UNIQUE INDEX one_waiting_alert_per_merge_key ON outbox (merge_key)
    WHERE status = 'pending' AND merge_key IS NOT NULL;
CREATE INDEX alerts_finished ON outbox (finished_at) WHERE channel = 'alert';
CREATE INDEX alerts_by_time ON outbox (created_at) WHERE channel = 'alert';
CREATE INDEX outbox_failing ON outbox (channel, failing_since) WHERE status = 'pending' AND failing_since IS NOT NULL;
CREATE INDEX mails_sent ON outbox (finished_at) WHERE channel = 'mail' AND status = 'sent';
-- Mails whose failure somebody may have to see to.
CREATE INDEX mails_failed ON outbox (request_id, id) WHERE channel = 'mail' AND status = 'failed';

-- What is set while the system runs: the mode (the kill switch) with its version, and the retention of the health log.
CREATE TABLE system_config (
    key        text PRIMARY KEY,
    value      text NOT NULL,
    version    integer NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text,
    reason     text,
    CONSTRAINT traffic_mode_is_known CHECK (key <> 'traffic_mode' OR value IN ('async_queue', 'sync_direct'))
);
INSERT INTO system_config (key, value) VALUES ('traffic_mode', 'async_queue'), ('health_log_retention_days', '7');

-- Every change of it: who, when, why and what it was before.
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

-- What is updated to see whether PostgreSQL takes writes.
CREATE TABLE write_probe (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    written_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO write_probe (written_at) VALUES ('-infinity');

-- Which version of the mode an API process obeys, written on its listener's own connection: a receipt lives as long as
-- that connection.
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

-- The health log: what happened to the system; customers stand here by id only.
CREATE TABLE system_health_logs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type text NOT NULL CHECK (event_type IN ('INFO', 'WARNING', 'ERROR', 'CRITICAL', 'SWITCH')),
    message    text NOT NULL,
    metadata   jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX health_logs_by_time ON system_health_logs (created_at);
CREATE INDEX health_logs_by_type ON system_health_logs (event_type, id DESC);

-- Minutes that a sweep process saw the end of: the heartbeat by which charts tell "off" from "nothing to do".
CREATE TABLE measured_minutes (
    minute      timestamptz PRIMARY KEY,
    measured_at timestamptz NOT NULL DEFAULT now()
);

-- Incidents: one outage of one cause, opened once over all processes and hosts, resolved once, with its figures (null
-- where a figure does not belong to the cause).
CREATE TABLE incidents (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cause           text NOT NULL,
    opened_at       timestamptz NOT NULL DEFAULT now(),
    last_failure_at timestamptz NOT NULL DEFAULT now(),
    resolved_at     timestamptz,
    detail          text,
    served_directly integer,
    slowest_seconds double precision,
    requests_failed integer
);
CREATE UNIQUE INDEX one_open_incident_per_cause ON incidents (cause) WHERE resolved_at IS NULL;

-- Deploys: which version came when, by whom, and how it ended.
CREATE TABLE deploys (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version     text NOT NULL,
    previous    text,
    started_by  text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    outcome     text CHECK (outcome IN ('done', 'rolled_back', 'failed', 'abandoned')),
    reason      text,
    CONSTRAINT finished_has_outcome CHECK ((finished_at IS NULL) = (outcome IS NULL))
);

-- How the welcome mail of a request stands: pending, sent or failed; null where there never was one. The newest message
-- tells it; after that was removed, what the clean-up noted.
CREATE FUNCTION welcome_email_of(request uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT o.status FROM outbox o WHERE o.request_id = request AND o.channel = 'mail' ORDER BY o.id DESC LIMIT 1),
        (SELECT 'sent' FROM tripwire_users t WHERE t.request_id = request AND t.mail_sent_at IS NOT NULL))
$$;

-- Removes what is past retention (the days stand in system_config, written there from the settings); returns the count.
-- In batches, for two seconds at most, so that no statement limit ends it: where much is left, it is called again.
CREATE FUNCTION cleanup_old_health_logs() RETURNS integer LANGUAGE plpgsql AS $$
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
