-- Staff, their bearer tokens, and the failed sign-ins that the throttle counts.
-- depends:

CREATE TABLE staff (
    id            uuid PRIMARY KEY,
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    full_name     text NOT NULL,
    role          text NOT NULL CHECK (role IN ('sales', 'admin')),
    password_hash text,
    active        boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE staff_tokens (
    id         uuid PRIMARY KEY,
    staff_id   uuid NOT NULL REFERENCES staff,
    token_hash bytea NOT NULL UNIQUE,
    kind       text NOT NULL CHECK (kind IN ('session', 'api')),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX staff_tokens_of_staff ON staff_tokens (staff_id, created_at);

CREATE TABLE login_failures (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email   text NOT NULL,
    address text NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_failures_of_address ON login_failures (address, at);
