-- How customers come to exist: one statement for a set of claimed requests, and so one round trip and one commit.

-- name: provision
-- Gives a row for each request that is still ours: `status` 'provisioned' or 'duplicate'; null where no auth user could
-- be made or found (somebody was faster, or the identity provider's is gone): that one is looked at again.
-- The checks before anything is made (their names: customer_rules.py):
--   1 live_request   no other request with this address is under way or provisioned: the unique index
--                    one_live_request_per_email, which has held since the request was accepted;
--   2 auth_user      the auth user with this address is somebody else's: not made for this request;
--   3 customer       the address, or the auth user, has a customer.
-- Locks in the order everywhere: requests by id, then rows by e-mail. Where a customer or sale appears between the checks
-- and the insert, its unique constraint ends the whole statement, so that nothing is ever half made.
-- Deliverers and those who wait for an end are told, by one notification a channel for the whole set (four times its ids
-- would fit). Not where the API creates the customer itself (:answer_now): how much it commits in a second must not hang
-- on the lock that notifying takes (wakeups.py). Its own deliverer is woken in the process, and its caller has the answer.
WITH mine AS MATERIALIZED (
    SELECT id, email, full_name, search_text, price, currency, staff_id, password_hash, attempts
    FROM provisioning_requests
    WHERE id = ANY (:ids) AND status = 'accepted' AND claimed_by = :owner
    ORDER BY id FOR NO KEY UPDATE
), checked AS MATERIALIZED (
    SELECT mine.*, auth_user.id AS auth_user_id,
           coalesce(of_email.user_id, of_auth_user.user_id, auth_user.id) AS taken_by,
           CASE WHEN auth_user.raw_app_meta_data ->> 'tripwire_request_id' IS DISTINCT FROM mine.id::text
                     AND auth_user.id IS NOT NULL THEN 'auth_user'
                WHEN of_email.user_id IS NOT NULL OR of_auth_user.user_id IS NOT NULL THEN 'customer'
           END AS refused_by
    FROM mine
    -- In both forms of an international domain; the one that this request made goes first, else whoever has it.
    LEFT JOIN LATERAL (
        SELECT id, raw_app_meta_data FROM auth.users u
        WHERE u.email IN (mine.email, readable_email(mine.email)) AND u.is_sso_user = false
        ORDER BY u.raw_app_meta_data ->> 'tripwire_request_id' IS NOT DISTINCT FROM mine.id::text DESC LIMIT 1
    ) auth_user ON true
    LEFT JOIN tripwire_users of_email ON of_email.email = mine.email
    LEFT JOIN tripwire_users of_auth_user ON of_auth_user.user_id = auth_user.id
), auth_user AS (
    -- On Supabase's terms: GoTrue reads empty strings in the four token columns, not null. What marks it as made by this
    -- request lets a later attempt resume with it.
    INSERT INTO auth.users (
        instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
        confirmation_token, recovery_token, email_change_token_new, email_change,
        raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
    SELECT '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated', email,
           password_hash, now(), '', '', '', '',
           jsonb_build_object('provider', 'email', 'providers', jsonb_build_array('email'), 'tripwire_request_id', id),
           jsonb_build_object('full_name', full_name), now(), now()
    FROM checked WHERE refused_by IS NULL AND auth_user_id IS NULL AND :makes_auth_users ORDER BY email
    ON CONFLICT DO NOTHING
    RETURNING id, email
), ready AS MATERIALIZED (
    SELECT checked.*, coalesce(auth_user.id, auth_user_id) AS user_id
    FROM checked LEFT JOIN auth_user USING (email)
    WHERE refused_by IS NULL AND (auth_user_id IS NOT NULL OR auth_user.id IS NOT NULL)
), customer AS (
    INSERT INTO tripwire_users (id, user_id, request_id, email, full_name, search_text, granted_by)
    SELECT gen_random_uuid(), user_id, id, email, full_name, search_text, staff_id FROM ready ORDER BY email
), sale AS (
    -- The charge: one for each request and each customer.
    INSERT INTO sales (id, request_id, user_id, manager_id, amount, currency)
    SELECT gen_random_uuid(), id, user_id, staff_id, price, currency FROM ready ORDER BY email
), activity AS (
    INSERT INTO sales_activity_log (staff_id, action, user_id, request_id, address)
    SELECT staff_id, :action, user_id, id, :address FROM ready
), invitation AS (
    -- Only for who was given no password; the link is derived from the id, nothing secret is stored.
    INSERT INTO invitations (id, user_id, expires_at)
    SELECT gen_random_uuid(), user_id, now() + make_interval(secs => :invitation_ttl) FROM ready WHERE password_hash IS NULL
    RETURNING id, user_id
), mail AS (
    INSERT INTO outbox (channel, user_id, request_id, invitation_id)
    SELECT 'mail', user_id, ready.id, invitation.id FROM ready LEFT JOIN invitation USING (user_id)
), ended AS MATERIALIZED (
    SELECT id, 'provisioned' AS status, user_id, NULL::text AS error, :passed::jsonb AS facts FROM ready
    UNION ALL
    SELECT id, 'duplicate', NULL, reason, jsonb_build_object('cause', refused_by)
    FROM (SELECT id, refused_by, CASE refused_by WHEN 'auth_user' THEN :auth_user ELSE :customer END AS reason
          FROM checked WHERE refused_by IS NOT NULL) AS refused
), finished AS (
    -- A refusal gives its key back.
    UPDATE provisioning_requests r
    SET status = ended.status, user_id = ended.user_id, error = ended.error, finished_at = clock_timestamp(),
        sealed_password = NULL, password_hash = NULL, claimed_by = NULL,
        answer = CASE WHEN :answer_now AND ended.status = 'provisioned' THEN 201 ELSE answer END,
        idempotency_key = CASE WHEN ended.status = 'duplicate' AND answer IS NULL THEN NULL ELSE idempotency_key END
    FROM ended WHERE r.id = ended.id AND r.id = ANY (:ids)
), step AS (
    INSERT INTO request_steps (request_id, step, facts) SELECT id, status, facts FROM ended
), event AS (
    INSERT INTO system_health_logs (event_type, message, metadata)
    SELECT 'WARNING', :refused_message, jsonb_build_object('request_id', id, 'user_id', taken_by, 'reason', error)
    FROM ended JOIN checked USING (id) WHERE status = 'duplicate'
), told AS MATERIALIZED (
    SELECT CASE WHEN bool_or(status = 'provisioned') THEN pg_notify('tripwire_mails', '') END AS deliverers,
           CASE WHEN count(*) > 0 THEN pg_notify('tripwire_finished', string_agg(id::text, ',')) END AS waiters
    FROM ended WHERE NOT :answer_now
)
SELECT mine.id, ended.status, ended.user_id, told.* FROM mine LEFT JOIN ended USING (id) CROSS JOIN told;

-- name: set_password!
-- The password that the customer chose.
UPDATE auth.users SET encrypted_password = :password_hash, updated_at = now() WHERE id = :user_id;
