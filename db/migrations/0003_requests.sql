-- Requests and what becomes of them: the customer and the sale. The promises are constraints here.
-- depends: 0002_auth_users

CREATE TABLE provisioning_requests (
    id              uuid PRIMARY KEY,
    email           text NOT NULL CHECK (email = lower(email)),
    full_name       text NOT NULL,
    sealed_password text,
    price           integer NOT NULL CHECK (price BETWEEN 0 AND 1000000000),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    staff_id        uuid NOT NULL REFERENCES staff,
    status          text NOT NULL DEFAULT 'accepted' CHECK (status IN ('accepted', 'provisioned', 'duplicate', 'failed')),
    mode            text NOT NULL CHECK (mode IN ('async', 'sync', 'fallback')),
    attempts        integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    claimed_by      text,
    due_at          timestamptz NOT NULL,
    error           text,
    user_id         uuid,
    answer          smallint CHECK (answer IN (201, 202)),
    idempotency_key text,
    fingerprint     bytea,
    accepted_at     timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    CONSTRAINT finished_has_time CHECK ((status = 'accepted') = (finished_at IS NULL)),
    CONSTRAINT provisioned_has_user CHECK (status <> 'provisioned' OR user_id IS NOT NULL),
    CONSTRAINT finished_has_no_password CHECK (status IN ('accepted', 'failed') OR sealed_password IS NULL)
);
-- 'provisioned' belongs into it: a waiting INSERT's snapshot is older than its rival's provisioning.
CREATE UNIQUE INDEX one_live_request_per_email ON provisioning_requests (email)
    WHERE status IN ('accepted', 'provisioned');
CREATE UNIQUE INDEX one_request_per_key ON provisioning_requests (staff_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX due ON provisioning_requests (due_at) WHERE status = 'accepted';
CREATE INDEX requests_newest_first ON provisioning_requests (accepted_at DESC, id DESC);
CREATE INDEX requests_of_staff ON provisioning_requests (staff_id, accepted_at DESC, id DESC);
CREATE INDEX requests_of_email ON provisioning_requests (email);
CREATE INDEX requests_finished ON provisioning_requests (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX requests_in_fallback ON provisioning_requests (accepted_at) WHERE mode = 'fallback';

CREATE TABLE request_steps (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES provisioning_requests,
    step       text NOT NULL,
    detail     text,
    at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX steps_of_request ON request_steps (request_id, id);

CREATE TABLE tripwire_users (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL UNIQUE,
    request_id uuid NOT NULL UNIQUE REFERENCES provisioning_requests,
    email      text NOT NULL UNIQUE CHECK (email = lower(email)),
    full_name  text NOT NULL,
    status     text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'completed', 'blocked')),
    granted_by uuid NOT NULL REFERENCES staff,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX customers_of_staff ON tripwire_users (granted_by, created_at DESC);

CREATE TABLE sales (
    id         uuid PRIMARY KEY,
    request_id uuid NOT NULL UNIQUE REFERENCES provisioning_requests,
    user_id    uuid NOT NULL UNIQUE REFERENCES tripwire_users (user_id),
    manager_id uuid NOT NULL REFERENCES staff,
    amount     integer NOT NULL,
    currency   text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sales_of_manager ON sales (manager_id, created_at);

CREATE TABLE sales_activity_log (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    staff_id   uuid REFERENCES staff,
    action     text NOT NULL,
    user_id    uuid,
    request_id uuid,
    detail     jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX activity_newest_first ON sales_activity_log (created_at DESC, id DESC);

CREATE TABLE invitations (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    revoked_at timestamptz
);
CREATE INDEX invitations_of_user ON invitations (user_id);

CREATE TABLE worker_pace (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_slot timestamptz NOT NULL
);
INSERT INTO worker_pace (last_slot) VALUES ('-infinity');
