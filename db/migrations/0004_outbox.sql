-- What is to be sent after a commit: welcome mails and alerts. Stored first, then delivered under a lease.
-- depends: 0003_requests

CREATE TABLE outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel       text NOT NULL CHECK (channel IN ('mail', 'alert')),
    status        text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed')),
    user_id       uuid,
    request_id    uuid REFERENCES provisioning_requests,
    invitation_id uuid REFERENCES invitations,
    body          jsonb NOT NULL DEFAULT '{}',
    merge_key     text,
    ready_at      timestamptz NOT NULL DEFAULT now(),
    due_at        timestamptz NOT NULL DEFAULT now(),
    claimed_by    text,
    attempts      integer NOT NULL DEFAULT 0,
    last_error    text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
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
