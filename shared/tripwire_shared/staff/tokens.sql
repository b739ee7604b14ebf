-- name: find_token^
-- Whose token this is, if it is good now.
SELECT s.id, s.email, s.full_name, s.role, s.active
FROM staff_tokens t JOIN staff s ON s.id = t.staff_id
WHERE t.token_hash = :token_hash AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
  AND s.active;

-- name: insert_token^
-- A new token: only its hash is kept.
INSERT INTO staff_tokens (id, staff_id, token_hash, kind, name, expires_at)
VALUES (:id, :staff_id, :token_hash, :kind, :name, now() + make_interval(secs => :seconds::float8))
RETURNING id, name, created_at, expires_at;

-- name: list_tokens
-- Somebody's tokens that are not revoked, newest first; sessions are not listed.
SELECT id, name, created_at, expires_at FROM staff_tokens
WHERE staff_id = :staff_id AND kind = 'api' AND revoked_at IS NULL ORDER BY created_at DESC;

-- name: revoke_token$
-- It ends now.
UPDATE staff_tokens SET revoked_at = now() WHERE id = :id AND staff_id = :staff_id AND revoked_at IS NULL RETURNING true;

-- name: revoke_by_hash!
-- Signing out.
UPDATE staff_tokens SET revoked_at = now() WHERE token_hash = :token_hash AND revoked_at IS NULL;
