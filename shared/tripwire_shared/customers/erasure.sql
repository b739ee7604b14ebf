-- Erasing, in the order in which everybody locks: requests, invitations, auth.users, tripwire_users, activity, mail.

-- name: find^
SELECT erased_at IS NOT NULL AS erased FROM tripwire_users WHERE user_id = :user_id;

-- name: lock_requests
-- All with her address: the live one and those that are over, each by an index of its own.
-- By id, like a retry of many, so that the two never wait for each other crosswise.
SELECT id FROM provisioning_requests
WHERE email = (SELECT email FROM tripwire_users WHERE user_id = :user_id)
  AND (status IN ('accepted', 'provisioned') OR status NOT IN ('accepted', 'provisioned'))
ORDER BY id FOR NO KEY UPDATE;

-- name: erase_requests!
-- Also the keys: clients like to put an address into them. (Such a key is free again, like the address.)
UPDATE provisioning_requests
SET email = :email, full_name = :full_name, sealed_password = NULL, password_hash = NULL, idempotency_key = NULL,
    fingerprint = NULL
WHERE email = (SELECT email FROM tripwire_users WHERE user_id = :user_id)
  AND (status IN ('accepted', 'provisioned') OR status NOT IN ('accepted', 'provisioned'));

-- name: erase_auth_user!
-- Without a password nobody can sign in any more.
UPDATE auth.users SET email = :email, encrypted_password = NULL, raw_user_meta_data = '{}', updated_at = now()
WHERE id = :user_id;

-- name: erase_customer^
-- Nobody can be active on it any more; what it had come to (completed, blocked) stays true. No row: it is erased.
UPDATE tripwire_users
SET email = :email, full_name = :full_name, erased_at = now(),
    status = CASE status WHEN 'active' THEN 'inactive' ELSE status END
WHERE user_id = :user_id AND erased_at IS NULL
RETURNING request_id;
