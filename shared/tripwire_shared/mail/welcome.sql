-- name: find_recipient^
-- Whom the welcome mail goes to; no row where the customer was erased.
SELECT email, full_name FROM tripwire_users WHERE user_id = :user_id;
