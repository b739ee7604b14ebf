-- Incidents keep their figures; the outbox says since when a message cannot be delivered.
-- depends: 0005_system

-- Filled when an incident is resolved. Null where the figure does not belong to the cause.
ALTER TABLE incidents
    ADD COLUMN served_directly integer,
    ADD COLUMN slowest_seconds double precision,
    ADD COLUMN requests_failed integer;

-- The first failed delivery of a message; what counts for "mail failing" is whether any mail got through after it.
ALTER TABLE outbox ADD COLUMN failing_since timestamptz;

-- Asked once a second by each process. Neither costs the accept path anything: the first is written when a delivery
-- fails, the second when a mail has been sent, both by the deliverers.
CREATE INDEX outbox_failing ON outbox (channel, failing_since) WHERE status = 'pending' AND failing_since IS NOT NULL;
CREATE INDEX mails_sent ON outbox (finished_at) WHERE channel = 'mail' AND status = 'sent';
