-- The rows of a customer. All of them are written in one transaction, in this order (the lock order everywhere).

-- name: find_existing^
-- What is known about the e-mail: provisioned within the window, the auth user and who made it, the customer.
SELECT
    (SELECT user_id FROM provisioning_requests
     WHERE email = :email AND status = 'provisioned' AND id <> :request_id
       AND finished_at > now() - make_interval(secs => :window)
     LIMIT 1) AS recent_user_id,
    a.id AS auth_user_id,
    a.raw_app_meta_data ->> 'tripwire_request_id' AS auth_made_by,
    t.user_id AS customer_user_id
FROM (SELECT 1) one
LEFT JOIN auth.users a ON a.email = :email AND a.is_sso_user = false
LEFT JOIN tripwire_users t ON t.user_id = a.id
LIMIT 1;

-- name: insert_auth_user$
-- The auth user; none where somebody else was faster. GoTrue reads empty strings in the four token columns, not null.
INSERT INTO auth.users (
    instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
    confirmation_token, recovery_token, email_change_token_new, email_change,
    raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
VALUES (
    '00000000-0000-0000-0000-000000000000', :user_id, 'authenticated', 'authenticated', :email, :password_hash, now(),
    '', '', '', '', :app_metadata, :user_metadata, now(), now())
ON CONFLICT DO NOTHING
RETURNING id;

-- name: set_password!
-- The password that the customer chose.
UPDATE auth.users SET encrypted_password = :password_hash, updated_at = now() WHERE id = :user_id;

-- name: insert_customer$
-- The customer and the charge (one for each request and each customer) in one round trip; no row, and neither of them,
-- where the auth user or the e-mail has a customer.
WITH customer AS (
    INSERT INTO tripwire_users (id, user_id, request_id, email, full_name, granted_by)
    VALUES (:id, :user_id, :request_id, :email, :full_name, :staff_id)
    ON CONFLICT DO NOTHING
    RETURNING id, user_id, request_id, granted_by
), sale AS (
    INSERT INTO sales (id, request_id, user_id, manager_id, amount, currency)
    SELECT :sale_id, request_id, user_id, granted_by, :price, :currency FROM customer
)
SELECT id FROM customer;
