-- name: insert_staff^
-- A new member of staff; no row where the e-mail is taken.
INSERT INTO staff (id, email, full_name, role, password_hash)
VALUES (:id, :email, :full_name, :role, :password_hash)
ON CONFLICT DO NOTHING
RETURNING id, email, full_name, role, active;

-- name: insert_first_admin!
-- The first admin, only where there is no admin at all.
INSERT INTO staff (id, email, full_name, role, password_hash)
SELECT :id, :email, 'First admin', 'admin', :password_hash
WHERE NOT EXISTS (SELECT 1 FROM staff WHERE role = 'admin')
ON CONFLICT DO NOTHING;

-- name: is_staff$
SELECT EXISTS (SELECT 1 FROM staff WHERE email = :email);

-- name: has_admin$
SELECT EXISTS (SELECT 1 FROM staff WHERE role = 'admin');

-- name: list_staff
-- Everybody (or one), by e-mail, with the tokens that work now and the last use of any. Sessions that ended are removed
-- after a day: those of a member of staff are few.
SELECT s.id, s.email, s.full_name, s.role, s.active, s.created_at,
       greatest(s.last_seen_at, max(t.last_used_at)) AS last_seen_at,
       count(*) FILTER (WHERE t.kind = 'api' AND t.revoked_at IS NULL
                          AND (t.expires_at IS NULL OR t.expires_at > now())) AS tokens
FROM staff s LEFT JOIN staff_tokens t ON t.staff_id = s.id
WHERE :id::uuid IS NULL OR s.id = :id
GROUP BY s.id ORDER BY s.email;

-- name: find_staff^
SELECT id, email, full_name, role, active FROM staff WHERE id = :id;

-- name: lock_admins
-- All active admins, held: two of them must not step down at the same moment. No more than that: whoever only refers to
-- one of them is not held up.
SELECT id FROM staff WHERE role = 'admin' AND active ORDER BY id FOR NO KEY UPDATE;

-- name: change_staff^
-- Changes what is given. `stayed_active`: before and after.
WITH before AS (SELECT id, active FROM staff WHERE id = :id FOR NO KEY UPDATE)
UPDATE staff s SET full_name = coalesce(:full_name, s.full_name), role = coalesce(:role, s.role),
                   active = coalesce(:active, s.active), password_hash = coalesce(:password_hash, s.password_hash)
FROM before
WHERE s.id = before.id
RETURNING s.id, s.email, s.full_name, s.role, s.active, before.active AND s.active AS stayed_active;

-- name: end_sessions!
-- After a new password the old sign-ins end.
UPDATE staff_tokens SET revoked_at = now() WHERE staff_id = :id AND kind = 'session' AND revoked_at IS NULL;

-- name: end_access!
-- Sign-ins and tokens of programs, for good.
UPDATE staff_tokens SET revoked_at = now() WHERE staff_id = :id AND revoked_at IS NULL;
