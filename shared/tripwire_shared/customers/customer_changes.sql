-- What staff may change of a customer. The lock order: request, invitation, auth.users, tripwire_users, activity, mail.

-- name: lock_customer^
-- A customer, held for a change of its status. A manager (:only_staff) reaches only their own.
SELECT status, request_id, erased_at IS NOT NULL AS erased FROM tripwire_users
WHERE user_id = :user_id AND (:only_staff::uuid IS NULL OR granted_by = :only_staff) FOR NO KEY UPDATE;

-- name: set_status!
UPDATE tripwire_users SET status = :status WHERE user_id = :user_id;

-- name: lock_request$
-- The request of a customer, held. NO KEY: whoever notes a step of it (a mail was sent) need not wait for us.
SELECT r.id FROM provisioning_requests r JOIN tripwire_users t ON t.request_id = r.id
WHERE t.user_id = :user_id AND (:only_staff::uuid IS NULL OR t.granted_by = :only_staff) FOR NO KEY UPDATE OF r;

-- name: is_erased$
-- A statement of its own after the lock, so that it sees what was committed while we waited.
SELECT erased_at IS NOT NULL FROM tripwire_users WHERE user_id = :user_id;
