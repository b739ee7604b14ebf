-- Each customer costs fewer index entries and row locks. Statement by statement, outside a transaction: no table is
-- locked longer than one of them takes, and indexes are built while others write. Begun again after it was broken off,
-- it does the same once more.
-- transactional: false
-- depends: 0011_retention

-- Staff and requests are never deleted, and these columns are filled from their rows. Checking that cost a lock on one
-- row of staff four times for each customer, which all of a manager's customers wanted at once.
ALTER TABLE provisioning_requests DROP CONSTRAINT IF EXISTS provisioning_requests_staff_id_fkey;
ALTER TABLE tripwire_users DROP CONSTRAINT IF EXISTS tripwire_users_granted_by_fkey;
ALTER TABLE sales DROP CONSTRAINT IF EXISTS sales_manager_id_fkey;
ALTER TABLE sales_activity_log DROP CONSTRAINT IF EXISTS sales_activity_log_staff_id_fkey;
ALTER TABLE request_steps DROP CONSTRAINT IF EXISTS request_steps_request_id_fkey;
ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_request_id_fkey;
-- And a link may go before the message that named it: without an index here, checking that read the whole outbox.
ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_invitation_id_fkey;

-- No query goes by it.
DROP INDEX IF EXISTS incidents_newest_first;

-- What waits for older transactions here holds nobody else up.
SET lock_timeout = '30s';

-- A live request is found by one_live_request_per_email; of the others there are few.
DROP INDEX CONCURRENTLY IF EXISTS requests_over_by_email;
CREATE INDEX CONCURRENTLY requests_over_by_email ON provisioning_requests (email)
    WHERE status NOT IN ('accepted', 'provisioned');
DROP INDEX CONCURRENTLY IF EXISTS requests_of_email;

-- A step is only ever asked for by its request: one index in place of two.
DROP INDEX CONCURRENTLY IF EXISTS steps_in_order;
CREATE UNIQUE INDEX CONCURRENTLY steps_in_order ON request_steps (request_id, id);

SET lock_timeout = '1s';
ALTER TABLE request_steps DROP CONSTRAINT IF EXISTS request_steps_pkey,
    ADD CONSTRAINT request_steps_pkey PRIMARY KEY USING INDEX steps_in_order;
DROP INDEX IF EXISTS steps_of_request;
