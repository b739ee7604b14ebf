-- name: find_token^
-- Whose token this is, if it is good now.
SELECT t.id AS token_id, s.id, s.email, s.full_name, s.role, s.active
FROM staff_tokens t JOIN staff s ON s.id = t.staff_id
WHERE t.token_hash = :token_hash AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
  AND s.active;

-- name: insert_token^
-- A new token: only its hash is kept. No row for a deactivated account, or where the password that was shown for it is
-- not its own any more. The account is held, so that ending all its tokens waits for this one, or this one for that.
INSERT INTO staff_tokens (id, staff_id, token_hash, kind, name, created_by, expires_at)
SELECT :id, s.id, :token_hash, :kind, :name, :created_by, now() + make_interval(secs => :seconds::float8)
FROM staff s
WHERE s.id = :staff_id AND s.active AND (:password_hash::text IS NULL OR s.password_hash = :password_hash)
FOR SHARE OF s
RETURNING id, name, created_at, expires_at;

-- name: list_tokens
-- Somebody's tokens that are not revoked, newest first; sessions are not listed.
SELECT t.id, t.name, t.created_at, t.expires_at, t.last_used_at, m.id AS made_by_id, m.email, m.full_name
FROM staff_tokens t LEFT JOIN staff m ON m.id = t.created_by
WHERE t.staff_id = :staff_id AND t.kind = 'api' AND t.revoked_at IS NULL ORDER BY t.created_at DESC, t.id;

-- name: note_use!
-- It is in use. Once a minute over all processes.
UPDATE staff_tokens SET last_used_at = now()
WHERE id = :id AND (last_used_at IS NULL OR last_used_at < now() - make_interval(secs => :every));

-- name: revoke_token$
-- It ends now.
UPDATE staff_tokens SET revoked_at = now() WHERE id = :id AND staff_id = :staff_id AND revoked_at IS NULL RETURNING true;

-- name: revoke_by_hash!
-- Signing out.
UPDATE staff_tokens SET revoked_at = now() WHERE token_hash = :token_hash AND revoked_at IS NULL;
