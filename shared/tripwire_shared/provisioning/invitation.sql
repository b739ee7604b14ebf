-- name: revoke_open!
-- The customer's earlier links die.
UPDATE invitations SET revoked_at = now() WHERE user_id = :user_id AND used_at IS NULL AND revoked_at IS NULL;

-- name: insert_invitation!
-- A new link; its secret is derived from the id, so nothing secret is stored.
INSERT INTO invitations (id, user_id, expires_at) VALUES (:id, :user_id, now() + make_interval(secs => :ttl));

-- name: end_of$
SELECT expires_at FROM invitations WHERE id = :id;

-- name: find_invitation^
-- An invitation, and whether its time is over.
SELECT id, user_id, used_at, revoked_at, expires_at <= now() AS expired FROM invitations WHERE id = :id;

-- name: use_invitation$
-- Consumes it; no row where somebody was faster or it is over.
UPDATE invitations SET used_at = now()
WHERE id = :id AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now()
RETURNING user_id;
