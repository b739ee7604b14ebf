-- name: find_recipient^
-- Whom the welcome mail goes to; no row where the customer was erased or the invitation was replaced meanwhile.
SELECT email, full_name FROM tripwire_users
WHERE user_id = :user_id AND erased_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM invitations WHERE id = :invitation_id AND revoked_at IS NOT NULL);
