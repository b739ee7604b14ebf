-- The proof's own rows: those of its member of staff, in the order in which everybody locks.

-- name: lock_requests
SELECT id, user_id FROM provisioning_requests WHERE staff_id = ANY (:staff) ORDER BY id FOR UPDATE;

-- name: staff_of_proofs
-- Also what a proof that was killed left behind.
SELECT id FROM staff WHERE email LIKE :pattern;

-- name: provisioned_lately$
SELECT EXISTS (
    SELECT 1 FROM provisioning_requests WHERE finished_at > now() - make_interval(secs => :lately) AND status = 'provisioned');

-- name: delete_invitations!
DELETE FROM invitations WHERE user_id = ANY (:users);

-- name: delete_auth_users!
DELETE FROM auth.users WHERE id = ANY (:users);

-- name: delete_sales!
DELETE FROM sales WHERE request_id = ANY (:requests);

-- name: delete_customers!
DELETE FROM tripwire_users WHERE request_id = ANY (:requests);

-- name: delete_activity!
DELETE FROM sales_activity_log
WHERE staff_id = ANY (:staff) OR request_id = ANY (:requests) OR detail ->> 'staff_id' = ANY (:staff_texts);

-- name: delete_mails!
DELETE FROM outbox WHERE channel = 'mail' AND request_id = ANY (:requests);

-- name: delete_steps!
DELETE FROM request_steps WHERE request_id = ANY (:requests);

-- name: delete_requests!
DELETE FROM provisioning_requests WHERE id = ANY (:requests);

-- name: delete_tokens!
DELETE FROM staff_tokens WHERE staff_id = ANY (:staff);

-- name: delete_staff!
DELETE FROM staff WHERE id = ANY (:staff);
