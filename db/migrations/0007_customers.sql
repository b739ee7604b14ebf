-- What the customers' pages ask for: erasure, lists newest first, and from where somebody did something.
-- depends: 0005_system

-- When the person's data were erased; the row, its request and its sale stay under a name that says nothing.
ALTER TABLE tripwire_users ADD COLUMN erased_at timestamptz;

CREATE INDEX customers_newest_first ON tripwire_users (created_at DESC, user_id DESC);
-- Most customers are active, and those stand close together in the index above.
CREATE INDEX customers_not_active ON tripwire_users (status, created_at DESC, user_id DESC) WHERE status <> 'active';
CREATE INDEX sales_by_time ON sales (created_at);

ALTER TABLE sales_activity_log ADD COLUMN address text;
-- Read by id, which grows with time; nothing reads by created_at.
DROP INDEX activity_newest_first;
CREATE INDEX activity_of_staff ON sales_activity_log (staff_id, id DESC);
CREATE INDEX activity_of_request ON sales_activity_log (request_id) WHERE request_id IS NOT NULL;

-- Mails whose failure somebody may have to see to.
CREATE INDEX mails_failed ON outbox (request_id, id) WHERE channel = 'mail' AND status = 'failed';
